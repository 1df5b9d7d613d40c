"""What goes wrong between a person and a server: killed servers, cut networks, sleep, wrong clocks, impatient hands."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.browser import walk
from tests.browser.conftest import PHONE
from tests.running import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

WRONG_CLOCK = """
const real = Date.now.bind(Date);
Date.now = () => real() + 3_600_000;
"""
LATE_SOCKET = """
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  send(frame) { setTimeout(() => super.send(frame), 3000); }
};
"""
SLEEP = """
window.slept = 0;
const ticking = performance.now.bind(performance);
performance.now = () => ticking() - window.slept;
"""
TRIALS = (
    "select t.position, t.state, t.answer, t.submitted_by from studies_trial t"
    " join studies_participantsession s on s.id = t.session_id where s.study_id = ? and t.state <> 'planned'"
    " order by s.id, t.position"
)


def events(server: RunningServer, study: int, kind: str) -> int:
    query = (
        "select count(*) from studies_event e join studies_participantsession s on s.id = e.session_id"
        " where s.study_id = ? and e.type = ?"
    )
    return int(server.rows(query, study, kind)[0][0])


async def seconds_left(page: Page) -> int:
    minutes, seconds = (await page.inner_text("#time-left")).split(":")
    return int(minutes) * 60 + int(seconds)


async def open_chat(page: Page) -> None:
    while not (await walk.open_next(page)).startswith("chat"):
        await walk.choose(page, 0, 0)
        await walk.submit(page)
    await page.wait_for_selector("#message:not([disabled])")


async def test_an_answer_given_while_the_server_is_dead_arrives_when_it_is_back(page: Page, tmp_path: Path) -> None:
    server = RunningServer(tmp_path).start()
    study = server.make_small_study(study__name="answering")
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await walk.choose(page, 2, 4)
    server.kill()
    await page.locator("#connection").wait_for()
    await page.click("#submit")
    await page.get_by_text("Kept here; it is sent").wait_for()
    server.start()
    await page.wait_for_selector(".feedback")
    assert server.rows(TRIALS, study["id"]) == [(1, "answered", 2, "person")]
    assert events(server, study["id"], "submit") == 1
    assert server.stop() == 0
    assert server.errors() == []


async def test_a_choice_made_while_the_server_is_dead_survives_a_reload(page: Page, tmp_path: Path) -> None:
    server = RunningServer(tmp_path).start()
    study = server.make_small_study(study__name="drafting")
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await walk.choose(page, 2, 4)
    server.kill()
    await page.locator("#connection").wait_for()
    await page.locator("input[name=option]").nth(1).check()
    await page.goto("about:blank")
    server.start()
    await page.goto(server.url + "/session/")
    await expect(page.locator("input[name=option]").nth(1)).to_be_checked()
    await expect(page.locator("#saved")).to_have_text("Choice saved")
    assert server.rows("select draft_option from studies_trial where state = 'open'") == [(1,)]
    assert server.stop() == 0
    assert server.errors() == []


async def test_a_cut_network_keeps_choices_and_messages_until_it_is_back(
    page: Page, context: BrowserContext, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="cut")
    await walk.begin(page, server, study["join"])
    await open_chat(page)
    await context.set_offline(True)
    await page.locator("#connection").wait_for()
    await page.locator("input[name=option]").nth(3).check()
    await page.fill("#message", "Are you there?")
    await page.click("#send")
    await expect(page.locator(".turn.unsent")).to_have_text("Are you there?")
    await page.wait_for_timeout(3000)
    await context.set_offline(False)
    await page.locator("#connection").wait_for(state="hidden")
    await expect(page.locator(".turn.theirs .text").last).to_have_text(re.compile(r".{10,}", re.DOTALL))
    await expect(page.locator(".turn.mine")).to_have_count(1)
    query = (
        "select m.text, t.draft_option from studies_message m join studies_trial t on t.id = m.trial_id"
        " join studies_participantsession s on s.id = t.session_id where s.study_id = ?"
    )
    assert server.rows(query, study["id"]) == [("Are you there?", 3)]


async def test_a_choice_that_waited_on_the_laptop_does_not_replace_the_newer_one_of_the_phone(
    browser: Browser, page: Page, context: BrowserContext, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="devices")
    link = study["join"] + "?entry=anna"
    await walk.begin(page, server, link)
    await walk.open_next(page)
    await walk.choose(page, 0, 0)
    await context.set_offline(True)
    await page.locator("#connection").wait_for()
    await page.locator("input[name=option]").nth(1).check()
    phone = await browser.new_context(viewport=PHONE)
    other = await phone.new_page()
    await other.goto(server.url + link)
    await expect(other.locator("input[name=option]").nth(0)).to_be_checked()
    await walk.choose(other, 2, 4)
    await context.set_offline(False)
    await page.get_by_text("You chose something newer in another window").wait_for()
    await expect(page.locator("input[name=option]").nth(2)).to_be_checked()
    query = (
        "select t.draft_option from studies_trial t join studies_participantsession s on s.id = t.session_id"
        " where s.study_id = ? and t.state = 'open'"
    )
    assert server.rows(query, study["id"]) == [(2,)]
    await phone.close()


async def test_a_second_device_may_choose_before_its_socket_has_said_anything(
    browser: Browser, page: Page, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="second")
    link = study["join"] + "?entry=anna"
    await walk.begin(page, server, link)
    await walk.open_next(page)
    await walk.choose(page, 0, 0)
    phone = await browser.new_context(viewport=PHONE)
    other = await phone.new_page()
    await other.add_init_script(LATE_SOCKET)
    await other.goto(server.url + link)
    await walk.choose(other, 2, 4)
    await expect(page.locator("input[name=option]").nth(2)).to_be_checked()
    await expect(other.locator("input[name=option]").nth(2)).to_be_checked()
    await phone.close()


async def test_a_choice_made_before_the_script_has_come_is_saved(
    page: Page, context: BrowserContext, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="slow-line")
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    may_come = asyncio.Event()

    async def late(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await context.route(re.compile(r"answer[.\w]*js"), late)
    await page.reload(wait_until="commit")
    await page.locator("input[name=option]").nth(2).check()
    await page.locator("input[name=confidence]").nth(4).check()
    await expect(page.locator("#saved")).to_be_empty()
    may_come.set()
    await page.get_by_text("Choice saved").wait_for()
    query = (
        "select t.draft_option from studies_trial t join studies_participantsession s on s.id = t.session_id"
        " where s.study_id = ? and t.state = 'open'"
    )
    assert server.rows(query, study["id"]) == [(2,)]


async def renderers(browser: Browser) -> list[int]:
    """The processes that the browser's pages run in."""
    processes = await (await browser.new_browser_cdp_session()).send("SystemInfo.getProcessInfo")
    return [each["id"] for each in processes["processInfo"] if each["type"] == "renderer"]


async def test_a_tab_that_slept_past_the_deadline_shows_that_the_time_is_over(
    browser: Browser, page: Page, server: RunningServer
) -> None:
    limits = {"questions__stories__time_limit_seconds": 6, "questions__short__time_limit_seconds": 6}
    study = server.make_small_study(study__name="frozen", **limits)
    await page.add_init_script(
        "setInterval(() => { sessionStorage.ticks = 1 + Number(sessionStorage.ticks ?? 0) }, 100)"
    )
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await page.locator("input[name=option]").nth(2).check()
    await page.get_by_text("Choice saved").wait_for()
    before = int(await page.evaluate("sessionStorage.ticks"))
    sleeping = await renderers(browser)
    for process in sleeping:
        os.kill(process, signal.SIGSTOP)
    await asyncio.sleep(10)  # nothing runs in the page now; the server closes the trial on its own
    assert server.rows(TRIALS, study["id"]) == [(1, "answered", 2, "timer")]
    for process in sleeping:
        os.kill(process, signal.SIGCONT)
    await page.get_by_text("was submitted for you").wait_for(timeout=5000)
    after = int(await page.evaluate("sessionStorage.ticks"))
    assert after < before + 60, (before, after)  # it really slept: awake it counts over 100


async def test_the_countdown_is_right_after_a_sleep_in_which_the_browsers_clock_stood_still(
    page: Page, server: RunningServer
) -> None:
    study = server.make_small_study(study__name="asleep", questions__short__time_limit_seconds=100)
    await page.add_init_script(SLEEP)
    await walk.begin(page, server, study["join"])
    while "story" in await walk.open_next(page):
        await walk.choose(page, 0, 0)
        await walk.submit(page)
    await page.wait_for_timeout(1000)
    before = await seconds_left(page)
    await page.evaluate("window.slept = 30_000")
    await page.wait_for_timeout(500)
    assert await seconds_left(page) > before + 25  # so the clock did stand still for this page
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.wait_for_timeout(1000)
    assert abs(before - await seconds_left(page)) <= 4


async def test_a_browser_whose_clock_is_an_hour_wrong_counts_right_and_is_logged_as_it_is(
    page: Page, server: RunningServer
) -> None:
    limits = {"questions__stories__time_limit_seconds": 60, "questions__short__time_limit_seconds": 60}
    study = server.make_small_study(study__name="wrong-clock", **limits)
    await page.add_init_script(WRONG_CLOCK)
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await walk.choose(page, 1, 3)
    assert 45 <= await seconds_left(page) <= 60
    await walk.submit(page)
    assert server.rows(TRIALS, study["id"]) == [(1, "answered", 1, "person")]
    query = (
        "select (julianday(e.client_at) - julianday(e.at)) * 24 from studies_event e"
        " join studies_participantsession s on s.id = e.session_id where s.study_id = ? and e.type = 'submit'"
    )
    assert server.rows(query, study["id"])[0][0] == pytest.approx(1.0, abs=0.01)


async def test_the_back_button_leads_to_where_the_session_stands(page: Page, server: RunningServer) -> None:
    study = server.make_small_study(study__name="back")
    await walk.begin(page, server, study["join"])
    await walk.open_next(page)
    await walk.choose(page, 1, 3)
    await walk.submit(page)
    await walk.open_next(page)
    await page.go_back()
    await expect(page.locator("#answer")).to_have_attribute("data-position", "2")
    await page.goto(server.url + study["join"])  # the link from the first mail, once more
    await expect(page.locator("#answer")).to_have_attribute("data-position", "2")
    assert server.rows(TRIALS, study["id"]) == [(1, "answered", 1, "person"), (2, "open", None, "")]
    assert server.rows("select count(*) from studies_participantsession where study_id = ?", study["id"]) == [(1,)]


async def test_double_clicks_count_once_everywhere(page: Page, server: RunningServer) -> None:
    study = server.make_small_study(
        study__name="twice", study__slots=4, questions__short__count=2, questions__stories__count=2
    )
    await page.goto(server.url + study["join"])
    await page.get_by_role("button", name="I agree").dblclick()
    await page.get_by_role("button", name="I have read this").dblclick()
    for _ in range(4):
        await page.wait_for_selector("#open-next")
        await page.locator("#open-next").dblclick()
        await page.wait_for_selector("#answer")
        await walk.choose(page, 1, 3)
        await page.locator("#submit").dblclick()
        await page.wait_for_selector("#open-next, #finish")
    await page.locator("#finish").dblclick()
    await page.wait_for_selector("#completion-code")
    assert server.rows("select count(*) from studies_slot where study_id = ? and is_taken = 1", study["id"]) == [(1,)]
    assert len(server.rows(TRIALS, study["id"])) == 4
    for kind, number in (("consent", 1), ("begin", 1), ("opened", 4), ("submit", 4), ("finish", 1)):
        assert events(server, study["id"], kind) == number, kind
