"""Hostile HTTP requests as raw bytes: forms, cookies, headers, methods, paths, bodies, and what is no HTTP at all."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes, urlencode

from tests.bench.fuzz import values

FORMS = tuple(f"/session/{name}/" for name in ("answer", "open", "begin", "check", "finish", "survey"))
PAGES = ("/", "/session/", "/session/instructions/", "/session/withdraw/", "/healthz", "/console/", "/admin/")
CONSOLE = (
    "/console/login/",
    "/admin/login/",
    "/console/studies/small/v1/",
    "/console/studies/x/v99999999999999999999/",
)
PATHS = (
    "/static/../../etc/passwd",
    "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%5c..%5cetc/passwd",
    "/static/%00",
    "//evil.example/",
    "/session//",
    "/session/%2e%2e/",
    "/%",
    "/%zz",
    "/%ff%fe",
    "/%ed%a0%80",
    "/\\..\\",
    "/join",
    "/join/%00/",
    "/admin/%0d%0aSet-Cookie:a=b",
    "/ws/session/",
    "/console/studies/small/v1/results/report.html?with=%00",
    "/" + "a" * 9_000,
    "/?" + "a=1&" * 2_000,
    "/session/;jsessionid=1",
    "http://127.0.0.1/session/",
    "*",
    "session/",
)
HEADERS = (
    "X-Forwarded-For: 1.2.3.4, ::1",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: https",
    "X-HTTP-Method-Override: DELETE",
    "HX-Request: true",
    "HX-Request: true\r\nHX-Current-URL: http://[",
    "HX-Request: true\r\nHX-Current-URL: \x00//\\evil",
    "Range: bytes=0-1,5-,-9999999999",
    "If-Modified-Since: yesterday",
    "If-None-Match: \xff",
    "Accept-Encoding: gzip;q=NaN",
    "Accept-Language: " + "x-" * 4_000,
    "Content-Encoding: gzip",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity, chunked",
    "Expect: 100-continue",
    "Upgrade: websocket\r\nConnection: Upgrade",
    "Upgrade: h2c",
    "Authorization: Basic \x00",
    "Origin: null",
    "Origin: http://evil.example",
    "Origin: http://[::1",
    "Referer: http://[",
    "Cookie: \xff\xfe; =; ;;; oversight_session",
    "No-Colon",
    ": empty",
    " folded: x",
    "X-Long: " + "x" * 20_000,
    'Forwarded: for="',
)
NUL = "\\000"  # as a quoted cookie writes it
BAD_CHUNK = (
    b"POST /session/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n"
)
HOSTS = ("evil.example", "localhost:99999", "[::1", "", "a" * 300, "127.0.0.1:80\x00", "exa mple", "é")


@dataclass
class Site:
    """Where the server is and what the hostile client holds: its cookie, a CSRF secret, the study's join path."""

    port: int
    token: str
    csrf: str
    join: str
    position: int = 1


@dataclass(frozen=True)
class HostileRequest:
    """`raw` goes to the port as it is. `may_be_silent`: the server may hang up without an answer."""

    attack: str
    raw: bytes
    may_be_silent: bool = False


def request(
    site: Site, method: str, path: str, body: bytes = b"", *headers: str, cookie: str | None = None, host: str = ""
) -> bytes:
    own = f"oversight_session={site.token}; csrftoken={site.csrf}" if cookie is None else cookie
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{site.port}'}", "Connection: close"]
    lines += [f"Cookie: {own}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def form(site: Site, path: str, given: dict[str, object], *headers: str, **how: str) -> bytes:
    pairs = {"csrfmiddlewaretoken": site.csrf, **given}
    body = urlencode({_word(name): _word(value) for name, value in pairs.items()})
    return request(
        site, "POST", path, body.encode(), "Content-Type: application/x-www-form-urlencoded", *headers, **how
    )


def _word(value: object) -> bytes:
    return ("" if value is None else str(value)).encode("utf-8", "surrogatepass")


def _answer(site: Site, rng: random.Random) -> dict[str, object]:
    return {
        "position": site.position + rng.choice((0, 0, 0, 1, -1, 5)),
        "command_id": uuid.UUID(int=rng.getrandbits(128)),
        "option": rng.randrange(5),
        "confidence": rng.choice((0.25, 0.6, 1)),
        "attempt": rng.choice((1, 1, 2, 3)),
        "check-1": rng.randrange(3),
        "check-2": rng.randrange(4),
        "item-trust": rng.randrange(7),
        "item-used-before": rng.randrange(4),
        "item-comments": rng.choice(values.TEXTS),
    }


def wrong_answer(rng: random.Random, site: Site) -> HostileRequest:
    given = _answer(site, rng)
    for name in rng.sample(sorted(given), rng.randint(0, 3)):
        given[name] = rng.choice((values.scalar(rng), rng.choice(values.RAW)))
    return HostileRequest("form values", form(site, rng.choice(FORMS), given))


def doubled_fields(rng: random.Random, site: Site) -> HostileRequest:
    body = urlencode(
        [(name, _word(values.scalar(rng))) for name in _answer(site, rng) for _ in range(rng.randint(0, 4))]
    )
    body += f"&csrfmiddlewaretoken={site.csrf}&%ff=%fe&=&&option[]=1&;position=3"
    raw = request(site, "POST", FORMS[0], body.encode(), "Content-Type: application/x-www-form-urlencoded")
    return HostileRequest("doubled and broken fields", raw)


def no_csrf(rng: random.Random, site: Site) -> HostileRequest:
    wrong = rng.choice(("", "x" * 32, "x" * 64, "é" * 32, "\x00" * 64, site.csrf[::-1], "y" * 5_000))
    given = _answer(site, rng) | {"csrfmiddlewaretoken": wrong}
    return HostileRequest("missing or wrong CSRF token", form(site, rng.choice((*FORMS, site.join)), given))


def wrong_method(rng: random.Random, site: Site) -> HostileRequest:
    path = rng.choice((*FORMS, *PAGES, *CONSOLE, site.join))
    return HostileRequest("methods", request(site, rng.choice(values.METHODS), path), may_be_silent=True)


def odd_cookie(rng: random.Random, site: Site) -> HostileRequest:
    cookie = rng.choice(
        (
            "oversight_session=" + "a" * rng.choice((64, 5_000, 30_000)),
            "oversight_session=é\x01\xff",
            f"oversight_session={site.token[:-1]}; oversight_session={site.token}",
            f'oversight_session="{NUL * 8}"; sessionid="{NUL * 8}"',
            "sessionid=" + "../" * 40,
            f"csrftoken={'x' * 9_000}; oversight_session={site.token}",
            "; ".join(f"c{number}=1" for number in range(700)),
            "messages=W10:1; oversight_session=;",
            values.noise(rng, 80).decode("latin-1").replace("\n", "").replace("\r", ""),
        )
    )
    path = rng.choice((*FORMS, *PAGES, *CONSOLE, site.join))
    raw = (
        form(site, path, _answer(site, rng), cookie=cookie)
        if rng.random() < 0.5
        else request(site, "GET", path, cookie=cookie)
    )
    return HostileRequest("cookies", raw, may_be_silent=True)


def multipart(rng: random.Random, site: Site) -> HostileRequest:
    mark = rng.choice(("b", "x" * 70, "é", "", "b; charset=utf-7", '"'))
    name = rng.choice(("", "; filename=a", "; filename=../../x"))
    part = f'--{mark}\r\nContent-Disposition: form-data; name="position"{name}\r\n'
    part += (
        rng.choice(("", "Content-Transfer-Encoding: base64\r\n", "Content-Type: text/plain; charset=bogus\r\n"))
        + "\r\n"
    )
    part += rng.choice(("1", "\x00" * 50, "é" * 400, "x" * 300_000)) + "\r\n"
    body = (part * rng.choice((1, 3, 40)))[:900_000] + rng.choice((f"--{mark}--\r\n", "", "--" + mark[:1]))
    token = f"X-CSRFToken: {site.csrf}"
    kind = rng.choice((f"Content-Type: multipart/form-data; boundary={mark}", "Content-Type: multipart/form-data"))
    raw = request(site, "POST", rng.choice((*FORMS, site.join)), body.encode(), kind, token)
    return HostileRequest("multipart bodies", raw, may_be_silent=True)


def huge_form(rng: random.Random, site: Site) -> HostileRequest:
    given: dict[str, object] = _answer(site, rng)
    if rng.random() < 0.5:
        given |= {f"f{number}": number for number in range(rng.choice((990, 1_010, 5_000)))}
    else:
        given["option"] = "x" * rng.choice((200_000, 262_145, 1_000_000))
    return HostileRequest("huge forms", form(site, FORMS[0], given), may_be_silent=True)


def body_kinds(rng: random.Random, site: Site) -> HostileRequest:
    kind = rng.choice(
        (
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded; charset=bogus",
            "é",
            "",
            "a/b; charset=\x00",
            "application/x-www-form-urlencoded; charset=utf-16",
            "multipart/mixed",
            "application/xml",
        )
    )
    body = values.noise(rng, 2_000)
    raw = request(site, "POST", rng.choice(FORMS), body, f"Content-Type: {kind}", f"X-CSRFToken: {site.csrf}")
    return HostileRequest("body kinds", raw, may_be_silent=True)


def odd_path(rng: random.Random, site: Site) -> HostileRequest:
    path = rng.choice(PATHS)
    if rng.random() < 0.3:
        path = "/" + quote_from_bytes(values.noise(rng, 60), safe="/?&=%;")
    return HostileRequest("paths", request(site, rng.choice(("GET", "POST", "HEAD")), path), may_be_silent=True)


def join_code(rng: random.Random, site: Site) -> HostileRequest:
    code = quote(_word(rng.choice((values.scalar(rng), rng.choice(values.TEXTS))))[:3_000], safe="")
    path = rng.choice((f"/join/{code}/", site.join))
    entry = {
        rng.choice(("PROLIFIC_PID", "workerId", "entry", "bot")): rng.choice(values.TEXTS)[:900],
        "bot": rng.choice(("", "e30:1:1", "e30", ":::", "\x00")),
        "consent": rng.choice(("yes", "no", "", "\x00", "x" * 400)),
        "join_key": rng.choice((values.scalar(rng), "0" * 32, uuid.UUID(int=7))),
    }
    if rng.random() < 0.5:
        return HostileRequest("join codes and entries", form(site, path, entry, cookie=f"csrftoken={site.csrf}"))
    query = urlencode({name: _word(value) for name, value in entry.items()})
    return HostileRequest("join codes and entries", request(site, "GET", f"{path}?{query}", cookie="a=b"))


def headers(rng: random.Random, site: Site) -> HostileRequest:
    given = [rng.choice(HEADERS) for _ in range(rng.choice((1, 1, 2, 5)))]
    host = rng.choice(("", "", *HOSTS))
    path = rng.choice((*FORMS, *PAGES, *CONSOLE, site.join))
    given += [rng.choice(("Content-Length: 5", "Content-Length: -1", "Content-Length: 9\r\nContent-Length: 1", "A: b"))]
    raw = request(site, rng.choice(("GET", "POST")), path, b"abc", *given, host=host)
    return HostileRequest("headers", raw, may_be_silent=True)


def login(rng: random.Random, site: Site) -> HostileRequest:
    given: dict[str, object] = {
        "username": rng.choice(values.TEXTS)[:2_000],
        "password": rng.choice(values.TEXTS)[:2_000],
        "next": rng.choice(("//evil.example", "\x00", "javascript:1", "/console/", "http://[")),
    }
    return HostileRequest("logins", form(site, rng.choice(CONSOLE[:2]), given))


def console(rng: random.Random, site: Site) -> HostileRequest:
    version = rng.choice(("1", "0", "99999999999999999999999"))
    rest = rng.choice(("", "live/", "launch/", "close/", "bundle/", "results/", "results/look/", "results/compute/"))
    query = urlencode({"page": _word(values.scalar(rng)), "sort": _word(values.scalar(rng))})[:3_000]
    path = f"/console/studies/{rng.choice(('small', 'x', '%00'))}/v{version}/{rest}?{query}"
    return HostileRequest("console without a login", request(site, rng.choice(("GET", "POST")), path))


def handshake(rng: random.Random, site: Site) -> HostileRequest:
    path = rng.choice(
        ("/ws/session/", "/ws/session", "/ws/", "/ws/console/", "/nothing/", "/ws/session/%00", "/ws/%ff")
    )
    origin = rng.choice((f"http://127.0.0.1:{site.port}", "http://evil.example", "null", "http://[", "", "é"))
    key = rng.choice(("dGhlIHNhbXBsZSBub25jZQ==", "short", "", "é" * 20))
    lines = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Version: {rng.choice(('13', '13', '13', '0', 'x', '99'))}",
        f"Origin: {origin}",
        rng.choice(("A: b", "Sec-WebSocket-Protocol: x, y", "Sec-WebSocket-Extensions: permessage-deflate; x=\x01")),
    ]
    cookie = rng.choice((None, "oversight_session=nobody", "é=\xff"))
    raw = request(site, rng.choice(("GET", "GET", "GET", "POST")), path, b"", *lines, cookie=cookie)
    return HostileRequest("handshakes", raw, may_be_silent=True)


def no_http(rng: random.Random, site: Site) -> HostileRequest:
    good = form(site, FORMS[0], _answer(site, rng))
    raw = rng.choice(
        (
            values.noise(rng, 600),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + values.noise(rng, 300),
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /\r\n\r\n",
            b"\r\n" * 400,
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3_000 + b"\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            values.bent(good, rng),
            good[: rng.randrange(len(good))],
            BAD_CHUNK,
        )
    )
    return HostileRequest("no HTTP, or half of it", raw, may_be_silent=True)


ATTACKS: dict[Callable[[random.Random, Site], HostileRequest], int] = {
    wrong_answer: 26,
    doubled_fields: 6,
    no_csrf: 6,
    wrong_method: 6,
    odd_cookie: 8,
    multipart: 5,
    huge_form: 3,
    body_kinds: 4,
    odd_path: 8,
    join_code: 9,
    headers: 8,
    login: 1,
    console: 4,
    handshake: 6,
    no_http: 6,
}


def hostile(rng: random.Random, site: Site) -> HostileRequest:
    (attack,) = rng.choices(list(ATTACKS), list(ATTACKS.values()))
    return attack(rng, site)
