"""A pause in the middle of a question, in real Chromium: hidden, shown again by itself, with the time given back."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.conftest import PHONE
from tests.running import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
TIMED = {"questions__stories__time_limit_seconds": 300, "questions__short__time_limit_seconds": 300}


async def manage(server: RunningServer, *arguments: str) -> None:
    await asyncio.to_thread(server.manage, *arguments)


async def seconds_left(page: Page) -> int:
    minutes, seconds = (await page.inner_text("#time-left")).split(":")
    return 60 * int(minutes) + int(seconds)


async def test_a_pause_hides_the_question_and_gives_its_time_back(
    page: Page, server: RunningServer, screenshots: Path
) -> None:
    study = server.make_small_study(study__name="pausing", assistants__helper__words_per_second=3, **TIMED)
    await walk.begin(page, server, study["join"])
    while not (await walk.open_next(page)).startswith("chat"):
        await walk.choose(page, 0, 0)
        await walk.submit(page)
    question = await page.inner_text(".question-text")
    await walk.choose(page, 2, 3)
    await page.fill("#message", "Which one, and why?")
    await page.click("#send")
    await walk.see_it_grow(page)
    await page.fill("#message", "Half a thought")

    await manage(server, "pause_study", "pausing", "--reason", "a fire drill")
    await page.get_by_role("heading", name="The study is paused").wait_for()
    shown = await page.content()
    assert question not in shown
    assert "Which one, and why?" not in shown
    assert "fire drill" not in shown
    await walk.look(page, screenshots, "paused")
    other = await page.context.new_page()
    await other.goto(server.url + "/session/")
    await other.get_by_role("heading", name="The study is paused").wait_for()
    await page.wait_for_timeout(5_000)

    await manage(server, "resume_study", "pausing")
    await page.wait_for_selector("#answer")
    await other.wait_for_selector("#answer")
    left = await seconds_left(page)
    [(opened, deadline, given)] = server.rows(
        "select julianday(t.opened_at), julianday(t.deadline_at), t.paused_seconds from studies_trial t"
        " join studies_participantsession s on s.id = t.session_id where s.study_id = ? and t.state = 'open'",
        study["id"],
    )
    assert given > 5
    assert (deadline - opened) * 86_400 == pytest.approx(300 + given, abs=0.01)
    [(remaining,)] = server.rows("select (? - julianday('now')) * 86400", deadline)
    assert left == pytest.approx(remaining, abs=2)
    assert await page.locator("input[name=option]").nth(2).is_checked()
    assert await page.locator("input[name=confidence]").nth(3).is_checked()
    await expect(page.locator(".turn.mine")).to_have_text("Which one, and why?")
    await expect(page.locator("#message")).to_have_value("Half a thought")
    await walk.submit(page)
    rows = server.rows(
        "select t.answer, t.submitted_by, t.in_grace from studies_trial t"
        " join studies_participantsession s on s.id = t.session_id where s.study_id = ? and t.paused_seconds > 0",
        study["id"],
    )
    assert rows == [(2, "person", 0)]


async def test_what_was_chosen_at_the_moment_of_the_pause_is_kept_in_the_browser_and_sent_afterwards(
    page: Page, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="caught", **TIMED)
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await page.wait_for_timeout(500)
    await page.context.set_offline(True)  # the tab does not hear of the pause, as in the moment before it is told
    await page.locator("input[name=option]").nth(1).check()
    await page.locator("input[name=confidence]").nth(2).check()
    await page.click("#submit")
    await manage(server, "pause_study", "caught", "--reason", "a fire drill")
    await page.context.set_offline(False)
    await page.get_by_role("heading", name="The study is paused").wait_for()
    await page.wait_for_timeout(1_000)
    answered = (
        "select t.answer, t.confidence from studies_trial t join studies_participantsession s on s.id = t.session_id"
        " where s.study_id = ? and t.state = 'answered'"
    )
    assert server.rows(answered, study["id"]) == []
    await manage(server, "resume_study", "caught")
    await page.wait_for_selector(".feedback")
    assert server.rows(answered, study["id"]) == [(1, 0.6)]


async def test_without_javascript_the_page_goes_on_by_itself_too(browser: Browser, server: RunningServer) -> None:
    study = server.make_small_study(study__name="quiet", **TIMED)
    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = await context.new_page()
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await page.locator("input[name=option]").nth(0).check()
    await page.locator("input[name=confidence]").nth(0).check()
    await manage(server, "pause_study", "quiet", "--reason", "a fire drill")
    await page.click("#submit")
    await page.get_by_text("was not taken, because the study is paused").wait_for()
    assert page.url.endswith("/session/answer/")
    await manage(server, "resume_study", "quiet")
    await page.wait_for_url(re.compile(r"/session/$"), timeout=20_000)
    await page.locator("input[name=option]").nth(0).check()
    await page.locator("input[name=confidence]").nth(0).check()
    await walk.submit(page)
    await context.close()


async def test_the_console_pauses_and_lets_go_on(page: Page, server: RunningServer, screenshots: Path) -> None:
    study = server.make_small_study(study__name="watched", **TIMED)
    server.python(
        "manage.py",
        "shell",
        "-c",
        "from django.contrib.auth.models import User; User.objects.create_user('ada', password='x', is_staff=True)",
    )
    person = await (await page.context.browser.new_context()).new_page()  # type: ignore[union-attr]
    await walk.begin(person, server, study["join"])
    await walk.open_next(person)
    await page.goto(f"{server.url}/console/studies/watched/")
    await page.fill("input[name=username]", "ada")
    await page.fill("input[name=password]", "x")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Pause…").click()
    await walk.look(page, screenshots, "console-pause")
    await page.fill("#reason", "The assistant's machine is being restarted")
    await page.get_by_role("button", name="Pause the study").click()
    await page.get_by_role("heading", name="Paused since").wait_for()
    await person.get_by_role("heading", name="The study is paused").wait_for()
    await walk.look(page, screenshots, "console-paused")
    await page.goto(f"{server.url}/console/")
    await page.locator(".state.paused").wait_for()
    await walk.look(page, screenshots, "console-paused-list")
    await page.goto(f"{server.url}/console/studies/watched/")
    await page.get_by_role("button", name="Go on").click()
    await person.wait_for_selector("#answer")
    await page.locator(".row-link", has_text="Pause").click()
    await page.fill("#reason", "This person's screen reader stopped")
    await page.get_by_role("button", name="Pause this session").click()
    await page.get_by_text("ago: This person's screen reader stopped").wait_for()
    await person.get_by_role("heading", name="The study is paused").wait_for()
    await page.locator("#sessions-title").scroll_into_view_if_needed()
    await walk.look(page, screenshots, "console-paused-session")
    await page.get_by_role("link", name="Go on…").click()
    await walk.look(page, screenshots, "console-pause-held")
    await page.get_by_role("button", name="Go on").click()
    await person.wait_for_selector("#answer")
    await person.context.close()
