"""A person's hands in Chromium: join, open, chat, answer, look."""

import re
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.running import RunningServer


async def begin(page: Page, server: RunningServer, join: str, *, until: str = "#open-next") -> None:
    """Consent and instructions; stands before the first question, or before what else comes `until` then."""
    await page.goto(server.url + join)
    await page.get_by_role("button", name="I agree").click()
    await page.get_by_role("button", name="I have read this").click()
    await page.wait_for_selector(until)


async def open_next(page: Page) -> str:
    """Open the next question; says what it is: chat or alone, with `story` behind it when there is a passage."""
    await page.click("#open-next")
    await page.wait_for_selector("#answer")
    kind = "chat" if await page.query_selector("#chat") else "alone"
    return kind + (" story" if await page.query_selector("#passage") else "")


async def ask(page: Page, text: str) -> str:
    """Send a message and wait for the whole reply; returns its text."""
    await page.wait_for_selector("#message:not([disabled])")
    before = await page.locator(".turn.theirs").count()
    await page.fill("#message", text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".turn.theirs")).to_have_count(before + 1)
    await page.wait_for_selector("#send:not([hidden])")
    return await page.locator(".turn.theirs").last.inner_text()


async def see_it_grow(page: Page) -> None:
    """Wait until some words of a running reply are on the screen."""
    await expect(page.locator(".turn.theirs .text").last).to_have_text(re.compile(r".{6,}", re.DOTALL))


async def choose(page: Page, option: int, confidence: int) -> None:
    """Pick an option and a point of the scale, and wait until the server has them."""
    await page.locator("input[name=option]").nth(option).check()
    await page.locator("input[name=confidence]").nth(confidence).check()
    await page.get_by_text("Choice saved").wait_for()


async def submit(page: Page) -> None:
    await page.click("#submit")
    await page.wait_for_selector("#open-next, #finish")


async def look(page: Page, folder: Path, name: str) -> None:
    """A picture at desktop and phone width; nothing may be wider than the screen, and axe must find nothing."""
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
        await page.set_viewport_size(viewport)
        await page.screenshot(path=folder / f"{name}-{size}.png")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{name} at {size}: {width} px wide"
    found = (await Axe().run(page)).response["violations"]
    problems = [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]
    assert not problems, f"{name}: {problems}"
    await page.set_viewport_size(DESKTOP)
