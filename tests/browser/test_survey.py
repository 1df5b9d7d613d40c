"""The survey in real Chromium: on a phone, with a pause in the middle, with something missing, without JavaScript."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.conftest import PHONE
from tests.running import RunningServer
from tests.small_study import SURVEY

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
LONG = """
[survey.easy]
text = "It was easy to tell when the assistant was wrong."
kind = "scale"
labels = ["strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"]

[survey.sure]
text = "How sure were you, all in all?"
kind = "scale"
labels = ["not at all sure", "", "", "", "", "", "", "", "", "", "completely sure"]

[survey.why]
text = "Why did you follow the assistant, where you did?"
kind = "text"
is_required = true
"""
ROWS = (
    "select a.item, a.number, a.option, a.text from studies_surveyanswer a"
    " join studies_participantsession s on s.id = a.session_id where s.study_id = ? order by 1"
)


async def answer_all(page: Page, server: RunningServer, join: str) -> None:
    await walk.begin(page, server, join)
    for _ in range(6):
        await walk.open_next(page)
        await page.locator("input[name=option]").nth(1).check()
        await page.locator("input[name=confidence]").nth(2).check()
        await walk.submit(page)


async def test_what_is_chosen_outlives_a_pause_and_a_reload_and_is_sent_once(
    page: Page, server: RunningServer, screenshots: Path
) -> None:
    study = server.make_small_study(more=SURVEY + LONG, study__name="asking")
    await answer_all(page, server, study["join"])
    await page.get_by_text("one page about how it was for you").wait_for()
    await page.click("#finish")
    await page.wait_for_selector("#survey")
    await walk.look(page, screenshots, "survey")

    trust = page.get_by_role("group", name="How much did you trust the assistant?")
    await trust.get_by_role("radio", name="completely").check()
    why = page.get_by_label("Why did you follow the assistant")
    await why.fill("It knew more.\nI think.")
    await asyncio.to_thread(server.manage, "pause_study", "asking", "--reason", "a fire drill")
    await page.get_by_role("heading", name="The study is paused").wait_for()
    assert "It knew more." not in await page.content()
    await asyncio.to_thread(server.manage, "resume_study", "asking")
    await page.wait_for_selector("#survey")
    await expect(trust.get_by_role("radio", name="completely")).to_be_checked()
    await expect(why).to_have_value("It knew more.\nI think.")
    await page.get_by_role("group", name="How often").get_by_role("radio", name="No answer").check()

    await why.fill("")
    await page.click("#send-survey")
    await page.get_by_text("Please look at the questions that are marked.").wait_for()
    await expect(why).to_have_attribute("aria-invalid", "true")
    await expect(why).to_have_accessible_description("Please answer this question.")
    await expect(trust.get_by_role("radio", name="completely")).to_be_checked()
    await walk.look(page, screenshots, "survey-missing")
    await page.goto(server.url + "/session/")
    await expect(trust.get_by_role("radio", name="completely")).to_be_checked()
    await why.fill("It knew more.")
    await page.dblclick("#send-survey")
    code = await page.inner_text("#completion-code")
    assert len(code) == 8
    assert await page.evaluate("Object.keys(sessionStorage)") == []
    assert server.rows(ROWS, study["id"]) == [("trust", 5, None, ""), ("why", None, None, "It knew more.")]
    assert server.rows(
        "select count(*) from studies_event e join studies_participantsession s on s.id = e.session_id"
        " where s.study_id = ? and e.type = 'survey'",
        study["id"],
    ) == [(1,)]


async def test_another_tab_follows_when_the_survey_is_sent(page: Page, server: RunningServer) -> None:
    study = server.make_small_study(more=SURVEY, study__name="two-tabs")
    await answer_all(page, server, study["join"])
    other = await page.context.new_page()
    await other.goto(server.url + "/session/")
    await page.click("#finish")
    await other.wait_for_selector("#survey")
    await other.get_by_role("radio", name="somewhat").check()
    await other.click("#send-survey")
    await other.wait_for_selector("#completion-code")
    assert await page.inner_text("#completion-code") == await other.inner_text("#completion-code")
    assert server.rows(ROWS, study["id"]) == [("trust", 3, None, "")]


async def test_without_javascript_by_keyboard_on_a_phone(browser: Browser, server: RunningServer) -> None:
    study = server.make_small_study(more=SURVEY, study__name="plain-survey")
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = await context.new_page()
    await answer_all(page, server, study["join"])
    await page.click("#finish")
    await page.get_by_label("What else should we know?").fill("Nothing.")
    await page.click("#send-survey")
    await expect(page.locator("#item-trust-problem")).to_have_text("Please answer this question.")
    await expect(page.get_by_label("What else should we know?")).to_have_value("Nothing.")
    await page.locator("input[name=item-trust]").first.focus()
    await page.keyboard.press("ArrowDown")
    await page.click("#send-survey")
    assert len(await page.inner_text("#completion-code")) == 8
    assert server.rows(ROWS, study["id"]) == [("comments", None, None, "Nothing."), ("trust", 2, None, "")]
    await context.close()
