"""Whole sessions in real Chromium: a reload in the middle, an expired timer, a chat, a killed server, no JavaScript."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser import walk
from tests.browser.conftest import PHONE
from tests.running import RunningServer
from tests.small_study import CHECKS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def test_a_whole_session_of_both_conditions(page: Page, server: RunningServer, screenshots: Path) -> None:
    study = server.make_small_study(study__name="whole")
    await page.goto(server.url + study["join"])
    await walk.look(page, screenshots, "consent")
    await page.get_by_role("button", name="I agree").click()
    await page.wait_for_url("**/session/")
    await walk.look(page, screenshots, "instructions")
    await page.get_by_role("button", name="I have read this").click()
    await page.wait_for_selector("#open-next")
    seen: set[str] = set()
    for number in range(1, 7):
        kind = await walk.open_next(page)
        if kind.startswith("chat"):
            question = await page.inner_text(".question-text")
            reply = await walk.ask(page, f"Which option is right? {question}")
            assert len(reply) > 10
        await walk.choose(page, 1, 3)
        if kind not in seen:
            await walk.look(page, screenshots, f"trial-{kind.replace(' ', '-')}")
            seen.add(kind)
        await page.reload()
        assert await page.locator("input[name=option]").nth(1).is_checked()
        assert await page.locator("input[name=confidence]").nth(3).is_checked()
        if kind.startswith("chat"):
            await expect(page.locator(".turn.theirs")).to_have_count(1)
        await walk.submit(page)
        await expect(page.locator(".feedback")).to_have_count(1)
        if number == 1:
            await walk.look(page, screenshots, "feedback")
            await page.click("summary")
            await page.get_by_role("link", name="Read the instructions again").click()
            await page.get_by_role("heading", name="How it works").wait_for()
            await walk.look(page, screenshots, "instructions-again")
            await page.get_by_role("button", name="Back to the study").click()
    assert {kind.split()[0] for kind in seen} == {"chat", "alone"}
    await page.click("#finish")
    code = await page.inner_text("#completion-code")
    await walk.look(page, screenshots, "debrief")
    rows = server.rows(
        "select s.completion_code, t.answer, t.confidence, t.submitted_by from studies_trial t"
        " join studies_participantsession s on s.id = t.session_id where s.study_id = ?",
        study["id"],
    )
    assert rows == [(code, 1, 0.8, "person")] * 6


async def test_an_expired_timer_submits_the_choice_or_says_that_there_was_none(
    page: Page, server: RunningServer, screenshots: Path
) -> None:
    timed = {"questions__stories__time_limit_seconds": 3, "questions__short__time_limit_seconds": 3}
    study = server.make_small_study(study__name="timed", **timed)
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await page.locator("input[name=option]").nth(2).check()
    await page.get_by_text("Choice saved").wait_for()
    await page.wait_for_selector("form.locked")
    await page.get_by_text("was submitted for you").wait_for()
    await walk.look(page, screenshots, "expired-with-a-choice")
    await walk.open_next(page)
    await page.get_by_text("before you chose an option").wait_for()
    await walk.look(page, screenshots, "expired-without-a-choice")
    rows = server.rows(
        "select t.state, t.answer, t.confidence, t.submitted_by, t.in_grace from studies_trial t"
        " join studies_participantsession s on s.id = t.session_id where s.study_id = ? order by t.position",
        study["id"],
    )
    assert rows[:3] == [
        ("answered", 2, None, "timer", 0),
        ("timed_out", None, None, "", 0),
        ("planned", None, None, "", 0),
    ]


async def test_stop_reset_and_a_second_tab(page: Page, context: BrowserContext, server: RunningServer) -> None:
    study = server.make_small_study(study__name="tabs", assistants__helper__words_per_second=3)
    await walk.begin(page, server, study["join"])
    while not (await walk.open_next(page)).startswith("chat"):
        await walk.choose(page, 0, 0)
        await walk.submit(page)
    await page.wait_for_selector("#message:not([disabled])")
    await page.fill("#message", "Why? Tell me everything.")
    await page.click("#send")
    await walk.see_it_grow(page)
    other = await context.new_page()
    await other.goto(server.url + "/session/")
    await walk.see_it_grow(other)
    await page.click("#stop")
    await other.get_by_role("button", name="Ask again").wait_for()
    await page.click("#reset")
    await expect(other.locator(".reset-line")).to_have_text("The assistant has forgotten everything above")
    await other.locator("input[name=option]").nth(3).check()
    await expect(page.locator("input[name=option]").nth(3)).to_be_checked()
    await walk.choose(page, 3, 2)
    await page.click("#submit")
    await other.wait_for_selector(".feedback")


async def test_a_killed_server_loses_nothing_that_was_acknowledged(page: Page, tmp_path: Path) -> None:
    server = RunningServer(tmp_path).start()
    study = server.make_small_study(assistants__helper__words_per_second=3)
    await walk.begin(page, server, study["join"])
    while not (await walk.open_next(page)).startswith("chat"):
        await walk.choose(page, 0, 0)
        await walk.submit(page)
    await walk.choose(page, 2, 4)
    await page.fill("#message", "Which one, and why?")
    await page.click("#send")
    await walk.see_it_grow(page)
    server.kill()
    await page.locator("#connection").wait_for()
    await page.locator("input[name=option]").nth(1).check()
    server.start()
    await page.locator("#connection").wait_for(state="hidden")
    await page.get_by_text("Choice saved").wait_for()
    assert server.rows("select text from studies_message") == [("Which one, and why?",)]
    assert server.rows("select draft_option from studies_trial where state = 'open'") == [(1,)]
    await page.get_by_role("button", name="Ask again").wait_for(timeout=25_000)
    await page.get_by_role("button", name="Ask again").click()
    await page.wait_for_selector("#stop:not([hidden])")
    await page.click("#submit")
    await page.wait_for_selector(".feedback")
    assert server.stop() == 0
    assert server.errors() == []


async def test_without_javascript_only_the_chat_is_lost(browser: Browser, server: RunningServer) -> None:
    study = server.make_small_study(study__name="plain")
    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = await context.new_page()
    await walk.begin(page, server, study["join"])
    for _ in range(6):
        await walk.open_next(page)
        await page.locator("input[name=option]").nth(0).check()
        await page.locator("input[name=confidence]").nth(0).check()
        await walk.submit(page)
    await page.click("#finish")
    assert len(await page.inner_text("#completion-code")) == 8
    await context.close()


async def test_the_keyboard_is_enough(page: Page, server: RunningServer) -> None:
    study = server.make_small_study(study__name="keys")
    await page.goto(server.url + study["join"])
    await page.get_by_role("button", name="I agree").press("Enter")
    await page.get_by_role("button", name="I have read this").press("Enter")
    await page.locator("#open-next").press("Enter")
    await page.locator("input[name=option]").first.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.get_by_text("Choice saved").wait_for()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".feedback")


async def test_check_questions_are_answered_again_and_whoever_fails_is_told_kindly(
    page: Page, browser: Browser, server: RunningServer, screenshots: Path
) -> None:
    study = server.make_small_study(study__name="checked", more=CHECKS)
    await walk.begin(page, server, study["join"], until="input[name=check-1]")
    await walk.look(page, screenshots, "check")
    await page.get_by_label("No, it can be wrong.").check()
    await page.get_by_label("Red").check()
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_text("What you chose was not right.").wait_for()
    await expect(page.get_by_label("No, it can be wrong.")).to_be_checked()
    await walk.look(page, screenshots, "check-again")
    await page.get_by_label("None was named.").check()
    await page.get_by_role("button", name="Go on").click()
    await page.wait_for_selector("#open-next")

    context = await browser.new_context(viewport=PHONE)
    other = await context.new_page()
    await walk.begin(other, server, study["join"], until="input[name=check-1]")
    for _ in range(2):
        await other.get_by_label("Yes, always.").check()
        await other.get_by_label("Red").check()
        await other.get_by_role("button", name="Go on").click()
    await other.get_by_role("heading", name="The study ends here for you").wait_for()
    await walk.look(other, screenshots, "ended-screened-out")
    await context.close()
    states = server.rows("select state from studies_participantsession where study_id = ? order by id", study["id"])
    assert states == [("active",), ("screened_out",)]
    assert "The log is whole" in server.manage("verify_log", "checked")


async def test_withdrawing_is_asked_once_more_and_erasing_is_told(
    page: Page, server: RunningServer, screenshots: Path
) -> None:
    study = server.make_small_study(study__name="leaving")
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await walk.choose(page, 1, 3)
    await page.click("summary")
    await page.get_by_role("link", name="withdraw").click()
    await walk.look(page, screenshots, "withdraw")
    await page.get_by_role("button", name="Stop without erasing").click()
    await page.get_by_role("heading", name="You have withdrawn").wait_for()
    await walk.look(page, screenshots, "ended-withdrawn")
    await page.get_by_role("link", name="have them erased").click()
    await walk.look(page, screenshots, "erase")
    await page.get_by_role("button", name="Erase what I gave").click()
    await page.get_by_role("heading", name="what you gave is erased").wait_for()
    await walk.look(page, screenshots, "ended-erased")
    chosen = server.rows(
        "select t.draft_option, t.is_erased from studies_trial t join studies_participantsession s"
        " on s.id = t.session_id where s.study_id = ? and t.opened_at is not null",
        study["id"],
    )
    assert chosen == [(None, 1)]
    assert "The log is whole" in server.manage("verify_log", "leaving")


async def test_what_one_person_left_unsent_never_reaches_another_in_the_same_browser(
    page: Page, context: BrowserContext, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="shared")
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await page.wait_for_timeout(500)
    await context.set_offline(True)
    await page.locator("input[name=option]").nth(3).check()
    await page.wait_for_timeout(300)
    await context.clear_cookies()
    await context.set_offline(False)
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await page.wait_for_timeout(1500)
    drafts = server.rows(
        "select t.draft_option from studies_trial t join studies_participantsession s on s.id = t.session_id"
        " where s.study_id = ? and t.state = 'open' order by s.id",
        study["id"],
    )
    assert drafts[-1] == (None,)
