"""Requests that nobody should send are refused with a page, never with a server error."""

import pytest
from django.test import AsyncClient

from studies.jobs.executor import on_database
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_form_in_another_alphabet_is_refused() -> None:
    client = AsyncClient(HTTP_HOST="localhost", enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    kind = "application/x-www-form-urlencoded; charset=utf-16"
    response = await client.post("/session/answer/", b"position=1", content_type=kind)
    assert (response.status_code, response.content) == (400, b"This request cannot be read.\n")


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
