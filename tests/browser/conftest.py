"""Real Chromium against a real server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests import services
from tests.running import RunningServer

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running server that the tests of one module share; it must end cleanly and have logged no error."""
    running = RunningServer(tmp_path_factory.mktemp("server")).start()
    yield running
    assert running.stop() == 0, running.said()
    assert running.errors() == []


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    try:
        executable = services.chromium()
    except services.Missing as why:
        services.skip_or_fail("chromium", why)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab whose console must stay free of errors."""
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    refusal = "status of 409"  # a page that says why something was not taken
    expected = ("WebSocket connection", "ERR_CONNECTION", "ERR_INTERNET_DISCONNECTED", "net::ERR", refusal)
    assert [problem for problem in problems if not any(part in problem for part in expected)] == []


@pytest.fixture
def screenshots() -> Path:
    """Where a person looks at what the tests saw; not committed."""
    folder = Path(__file__).resolve().parents[2] / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
