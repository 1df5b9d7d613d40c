"""Clients that send hostile frames and requests, and look at how the server takes each of them."""

import asyncio
import json
import random
import uuid
from collections import deque
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from studies.participant.cookies import NAME
from tests.bench.fuzz import frames, posts, values
from tests.bench.fuzz.frames import NO_SESSION, TOO_MANY, Aim
from tests.bench.fuzz.posts import Site
from tests.bench.fuzz.record import Record

ANSWERS = ("refused", "ack", "snapshot", "pong")
PATIENCE_SECONDS = 30.0
FLOOD = 150
RIGHT = {"check-1": "1", "check-2": "2"}  # of tests.small_study.CHECKS
SILENCE_SECONDS = 1.0  # how long the end of a request that never comes is waited for


@dataclass
class Target:
    """The server under fire; `honest_ids` grows while honest clients send commands."""

    port: int
    join: str
    record: Record
    honest_ids: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def take_part(target: Target, *, has_read: bool = True) -> str:
    """Join as anybody can, begin, and return the cookie's token; without having read, stop at the check questions."""
    async with httpx.AsyncClient(base_url=target.url, timeout=PATIENCE_SECONDS) as client:
        csrf = uuid.uuid4().hex
        client.cookies.set("csrftoken", csrf)
        form = {"csrfmiddlewaretoken": csrf, "consent": "yes", "join_key": str(uuid.uuid4())}
        joined = await client.post(target.join, data=form)
        if joined.status_code != 302:
            raise RuntimeError(f"a hostile client could not join: {joined.status_code}")
        await client.post("/session/begin/", data={"csrfmiddlewaretoken": csrf})
        if has_read:
            sent = {"csrfmiddlewaretoken": csrf, "attempt": 1, "command_id": str(uuid.uuid4()), **RIGHT}
            await client.post("/session/check/", data=sent)
        return str(client.cookies[NAME])


class SocketClient:
    """One hostile tab: connects, sends hostile frames, waits for an answer to each, and connects again."""

    def __init__(self, target: Target, rng: random.Random, token: str) -> None:
        self.target, self.rng, self.token = target, rng, token
        self.record, self.aim = target.record, Aim(honest_ids=target.honest_ids)
        self.is_session_over = False

    async def run(self) -> None:
        while not self.record.is_over:
            attack = self.rng.random()
            if attack < 0.04:
                await self.without_session()
            elif attack < 0.07:
                await self.raw_socket()
            else:
                await self.connected(is_flood=attack < 0.12)

    def _connect(self, token: str) -> connect:
        headers = {"Cookie": f"{NAME}={token}"}
        return connect(
            f"ws://127.0.0.1:{self.target.port}/ws/session/",
            origin=Origin(self.target.url),
            additional_headers=headers,
            compression=None,
            ping_interval=None,
            open_timeout=PATIENCE_SECONDS,
        )

    async def without_session(self) -> None:
        """An unknown cookie: the socket is closed with 4401, whatever is sent."""
        token = self.rng.choice(("", "nobody", self.token[::-1], "\u00e9", "x" * 3_000))
        self.record.inputs["socket without a session"] += 1
        try:
            async with self._connect(token) as connection:
                await connection.send("{}")
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await connection.recv()
        except ConnectionClosed as closed:
            self.closed(closed, frozenset({NO_SESSION}), "no session")
        except InvalidStatus as refused:
            self.record.statuses[str(refused.response.status_code)] += 1

    async def connected(self, *, is_flood: bool) -> None:
        recent: deque[frozenset[int | None]] = deque(maxlen=4)  # an answer may be that to a frame before
        try:
            async with self._connect(self.token) as connection:
                if is_flood:
                    kind = self.rng.choice((frames.in_any_order, frames.truncated))
                    for _ in range(FLOOD):
                        frame = kind(self.rng, self.aim)
                        recent.append(frozenset({TOO_MANY}))
                        await self.send(connection, frame, "flood")
                    for _ in range(FLOOD):  # commands may be slow enough to be answered one and all
                        await self.answer(connection, "flood")
                    if kind is frames.truncated:
                        self.record.wrong.append("a flood of frames was not cut off")
                    return
                for _ in range(self.rng.randint(20, 70)):
                    frame = frames.hostile(self.rng, self.aim)
                    recent.append(frame.may_close | {TOO_MANY})
                    await self.send(connection, frame, frame.attack)
                    await self.answer(connection, frame.attack)
                    if self.record.is_over:
                        return
                    await asyncio.sleep(self.rng.choice((0, 0, 0.05)))
        except ConnectionClosed as closed:
            self.closed(closed, frozenset().union(*recent), "flood" if is_flood else frame.attack)
        except TimeoutError:
            self.record.wrong.append(f"a frame was not answered: {'flood' if is_flood else frame.attack}")
        if self.is_session_over:
            self.token, self.is_session_over = await take_part(self.target), False

    async def send(self, connection: ClientConnection, frame: frames.HostileFrame, attack: str) -> None:
        self.record.inputs[f"frame: {attack}"] += 1
        await connection.send(frame.payload, text=not frame.is_binary)

    async def answer(self, connection: ClientConnection, attack: str) -> None:
        """Read until the server has answered this frame; committed events may come before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.hear(await connection.recv()) not in ANSWERS:
                pass

    def hear(self, raw: str | bytes) -> str:
        try:
            frame = json.loads(raw, parse_constant=_refuse)
        except ValueError:
            self.record.wrong.append(f"the server sent no JSON: {raw[:200]!r}")
            return "refused"
        kind = str(frame["kind"])
        self.record.replies[f"{kind} {frame.get('code', '')}".strip()] += 1
        self.is_session_over |= frame.get("code") in ("session_over", "nothing_left")
        if frame.get("code") == "internal":
            self.record.wrong.append("a frame met an internal error")
        if kind in ("snapshot", "event"):
            self.aim.seq = frame["seq"]
        page = frame.get("page") or frame.get("set", {}).get("page")
        if page:
            self.aim.position = (page["position"] or 0) + (page["trial"] != "open")
        return kind

    def closed(self, closed: ConnectionClosed, allowed: frozenset[int | None], attack: str) -> None:
        code = closed.rcvd.code if closed.rcvd else None
        self.record.closings["dropped" if code is None else str(code)] += 1
        if code not in allowed:
            self.record.wrong.append(f"a socket was closed with {code} after: {attack}")

    async def raw_socket(self) -> None:
        """A right handshake, then bytes that are no frames of RFC 6455: the connection is dropped."""
        self.record.inputs["socket protocol errors"] += 1
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target.port)
        lines = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        site = Site(self.target.port, self.token, "", "")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                handshake = posts.request(site, "GET", "/ws/session/", b"", *lines, key, f"Origin: {self.target.url}")
                writer.write(handshake.replace(b"Connection: close\r\n", b""))
                await reader.readuntil(b"\r\n\r\n")
                writer.write(
                    self.rng.choice(
                        (
                            b"\x81\x05hello",  # not masked
                            b"\x83\x80\x00\x00\x00\x00",  # an opcode that does not exist
                            b"\xf1\x80\x00\x00\x00\x00",  # reserved bits
                            b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",  # a length beyond every limit
                            b"\x89\xfe\x00\xff" + values.noise(self.rng, 300),  # a ping that is too long
                            b"\x01\x81\x00\x00\x00\x00a" + b"\x01\x81\x00\x00\x00\x00a",  # a second start
                            b"\x88\x82\x00\x00\x00\x00\x00\x01",  # closing with a code that is none
                            b"\xff" + values.noise(self.rng, 200),
                        )
                    )
                )
                writer.write_eof()
                said = await reader.read()
            self.record.closings["raw"] += 1
            if b"\x88" not in said:
                self.record.closings["raw, without a closing frame"] += 1
        except (OSError, asyncio.IncompleteReadError):
            self.record.closings["raw, reset"] += 1
        except TimeoutError:
            self.record.wrong.append("a socket with a broken protocol was kept open")
        finally:
            writer.close()


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


class RequestClient:
    """A hostile script on the HTTP port; each request on a connection of its own."""

    def __init__(self, target: Target, rng: random.Random, token: str) -> None:
        self.record, self.rng = target.record, rng
        self.site = Site(target.port, token, f"{rng.getrandbits(128):032x}", target.join)
        self.half_open: list[asyncio.StreamWriter] = []

    async def run(self) -> None:
        try:
            while not self.record.is_over:
                if self.rng.random() < 0.01:
                    await self.leave_half_open()
                else:
                    await self.one(posts.hostile(self.rng, self.site))
                self.site.position = self.rng.randint(1, 10)
        finally:
            for writer in self.half_open:
                writer.close()

    async def one(self, request: posts.HostileRequest) -> None:
        self.record.inputs[f"HTTP: {request.attack}"] += 1
        patience = SILENCE_SECONDS if request.may_be_silent else PATIENCE_SECONDS
        status = await exchange(self.site.port, request.raw, patience)
        self.record.statuses[status] += 1
        if status.startswith("5"):
            self.record.wrong.append(f"{status} after {request.attack}: {request.raw[:300]!r}")
        elif not status.isdigit() and not request.may_be_silent:
            self.record.wrong.append(f"no answer ({status}) after {request.attack}: {request.raw[:300]!r}")

    async def leave_half_open(self) -> None:
        """A connection that says half a request and then nothing; some stay open until the end."""
        self.record.inputs["HTTP: half-open connections"] += 1
        raw = posts.hostile(self.rng, self.site).raw
        _, writer = await asyncio.open_connection("127.0.0.1", self.site.port)
        writer.write(raw[: self.rng.randrange(1, len(raw))])
        self.half_open.append(writer)
        if len(self.half_open) > 40:
            self.half_open.pop(0).close()


async def exchange(port: int, raw: bytes, patience_seconds: float) -> str:
    """Send bytes, and the status of the answer; `silent` or `reset` when there was none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(patience_seconds):
            writer.write(raw)
            line = await reader.readline()
            await reader.read(4096)
    except TimeoutError:
        return "silent"
    except OSError:
        return "reset"
    finally:
        writer.close()
    words = line.split()
    return words[1].decode("ascii", "replace") if len(words) > 1 and words[0].startswith(b"HTTP/") else "hung up"
