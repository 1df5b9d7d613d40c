"""Requests that nobody should send are refused with a page, never with a server error."""

import pytest
from django.test import AsyncClient

from studies.jobs.executor import on_database
from tests.participant.visitor import Visitor
from tests.small_study import SURVEY, make_study

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_form_in_another_alphabet_is_refused() -> None:
    client = AsyncClient(HTTP_HOST="localhost", enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    kind = "application/x-www-form-urlencoded; charset=utf-16"
    response = await client.post("/session/answer/", b"position=1", content_type=kind)
    assert (response.status_code, response.content) == (400, b"This request cannot be read.\n")


@pytest.mark.parametrize("charset", ["utf-7", "raw_unicode_escape", "utf-16", "latin-1"])
@pytest.mark.parametrize("path", ["/session/survey/", "/session/answer/", "/"])
async def test_no_alphabet_but_utf8_is_read(charset: str, path: str) -> None:
    """In UTF-7 `+2AA-` is a lone surrogate, which no database takes."""
    study = await on_database(lambda: make_study(more=SURVEY))
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    part = b'--b\r\nContent-Disposition: form-data; name="item-comments"\r\n\r\n+2AA-\r\n--b--\r\n'
    response = await visitor.client.post(
        path,
        part,
        content_type=f"multipart/form-data; boundary=b; charset={charset}",
        headers={"X-CSRFToken": shown.forms[0].hidden["csrfmiddlewaretoken"]},
    )
    assert (response.status_code, response.content) == (400, b"This request cannot be read.\n")


async def test_utf8_may_be_named() -> None:
    study = await on_database(make_study)
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    response = await AsyncClient(HTTP_HOST="localhost").post(
        f"/join/{study.join_code}/", b"consent=x", content_type=kind
    )
    assert b"did not arrive as it was sent" in response.content


async def test_a_join_code_with_a_nul_is_not_found() -> None:
    await on_database(make_study)
    for path in ("/join/%00/", "/join/a%00b/?entry=%00", "/join/%ed%a0%80/", "/join/%ff/"):
        response = await AsyncClient(HTTP_HOST="localhost").get(path)
        assert response.status_code == 404, path


async def test_a_login_cookie_with_a_nul_is_nobodys() -> None:
    client = AsyncClient(HTTP_HOST="localhost")
    client.cookies["sessionid"] = "\x00" * 8
    for path in ("/console/login/", "/console/", "/"):
        assert (await client.get(path)).status_code in (200, 302), path
