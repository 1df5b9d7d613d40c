"""A draft's preview in real Chromium on a phone: from the study page to the completion code, and nothing is kept."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import walk
from tests.browser.conftest import PHONE
from tests.running import RunningServer
from tests.small_study import STUDY_FILE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
TABLES = ("participantsession", "participant", "trial", "event", "message", "reply")


async def test_a_draft_is_walked_through_on_a_phone(
    page: Page, server: RunningServer, screenshots: Path, tmp_path: Path
) -> None:
    sockets: list[object] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    server.make_small_study()  # with its banks
    file = tmp_path / "draft.toml"
    file.write_text(STUDY_FILE.replace('name = "small"', 'name = "draft"'))
    server.manage("create_study", str(file))
    server.env["DJANGO_SUPERUSER_PASSWORD"] = "correct horse battery"
    server.manage("createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.com")
    await page.set_viewport_size(PHONE)
    await page.goto(server.url + "/console/studies/draft/v1/")
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Preview", exact=True).click()
    await walk.look(page, screenshots, "preview-consent")
    await page.get_by_role("button", name="I agree").click()
    await page.get_by_role("button", name="I have read this").click()
    seen: dict[str, str] = {}
    for position in range(1, 7):
        await page.set_viewport_size(PHONE)
        kind = await walk.open_next(page)
        await expect(page.locator("#preview")).to_contain_text("Preview: nothing is saved.")
        if kind not in seen:
            seen[kind] = page.url
            await walk.look(page, screenshots, f"preview-{kind.replace(' ', '-')}")
        await page.locator("input[name=option]").nth(1).check()
        await page.locator("input[name=confidence]").nth(2).check()
        await walk.submit(page)
        assert f"/answered-{position}/?" in page.url
        await expect(page.locator(".chosen .letter")).to_have_text("B")
        assert "csrf" not in page.url
    assert {kind.split()[0] for kind in seen} == {"alone", "chat"}
    await walk.look(page, screenshots, "preview-answered")
    await page.click("#finish")
    await expect(page.locator("#completion-code")).to_have_text("PREVIEW")

    story = next(url for kind, url in seen.items() if kind.endswith("story"))
    await page.goto(story)
    left = await page.inner_text("#time-left")
    await page.wait_for_timeout(1_500)
    assert await page.inner_text("#time-left") == left == "5:00"
    await page.get_by_text("Help", exact=True).click()
    await page.get_by_role("link", name="Stop and withdraw").click()
    await walk.look(page, screenshots, "preview-withdraw")
    await page.get_by_role("button", name="No, go on").click()
    assert page.url == story.partition("?")[0]

    await page.get_by_label("Slot", exact=True).fill("2")
    await page.locator("select[name=page]").select_option("paused")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("heading", name="The study is paused").wait_for()
    await walk.look(page, screenshots, "preview-paused")
    assert sockets == []
    assert [server.rows(f"select count(*) from studies_{table}") for table in TABLES] == [[(0,)]] * len(TABLES)
