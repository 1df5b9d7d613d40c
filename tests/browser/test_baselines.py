"""A model-alone run from the study page in real Chromium: started, watched, cancelled, seen to its end."""

import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.baselines.test_kill import Endpoint
from tests.browser import walk
from tests.running import RunningServer
from tests.small_study import STUDY_FILE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
MODEL = '\n[assistants.model]\nbackend = "engine"\nbase_url = "{url}"\n\n[assignment]'


class Patient(Endpoint):
    """Answers three scorings at once; the others wait until somebody says go."""

    go: threading.Event
    first: threading.Semaphore

    def do_POST(self) -> None:
        if not self.first.acquire(blocking=False):
            self.go.wait(60)
        super().do_POST()


@pytest.fixture
def endpoint() -> Iterator[str]:
    Patient.answered, Patient.go, Patient.first = [], threading.Event(), threading.Semaphore(3)
    with ThreadingHTTPServer(("127.0.0.1", 0), Patient) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        Patient.go.set()
        server.shutdown()
        thread.join()


async def test_a_run_is_started_watched_cancelled_and_goes_on(
    page: Page, server: RunningServer, screenshots: Path, endpoint: str, tmp_path: Path
) -> None:
    server.make_small_study()
    file = tmp_path / "alone.toml"
    file.write_text(
        STUDY_FILE.replace('name = "small"', 'name = "alone"').replace("\n[assignment]", MODEL.format(url=endpoint))
    )
    server.manage("create_study", str(file))
    server.env["DJANGO_SUPERUSER_PASSWORD"] = "correct horse battery"
    server.manage("createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.com")
    await page.goto(server.url + "/console/studies/alone/v1/")
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.keyboard.press("Enter")

    await page.get_by_text("Ask the model alone").click()
    await page.select_option("#run-assistant_name", "helper")
    await page.select_option("#run-protocol", "zero-shot")
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_text("no likelihoods of its own").wait_for()

    await page.get_by_text("Ask the model alone").click()
    await walk.look(page, screenshots, "baseline-form")
    await page.select_option("#run-assistant_name", "model")
    await page.select_option("#run-scope", "bank")
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_text("model by zero-shot (whole bank) is queued").wait_for()
    baselines = page.locator("#baselines")
    await expect(baselines).to_contain_text("3 of 18 answers")  # without a reload
    await walk.look(page, screenshots, "baseline-running")

    await baselines.get_by_role("link", name=re.compile("Cancel")).click()
    await page.get_by_role("heading", name="Stop asking model alone?").wait_for()
    await walk.look(page, screenshots, "baseline-cancel")
    await page.get_by_role("button", name="Cancel the run").click()
    await page.get_by_text("Its answers are kept; starting it again goes on.").wait_for()
    await expect(baselines).to_contain_text("cancelled")

    Patient.go.set()
    await page.get_by_text("Ask the model alone").click()
    await page.select_option("#run-assistant_name", "model")
    await page.select_option("#run-scope", "bank")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(baselines).to_contain_text("18 of 18 answers")
    await expect(baselines.locator(".state")).to_have_text("done")
    await walk.look(page, screenshots, "baseline-done")
