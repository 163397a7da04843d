"""The public page in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from agent.browsers.find import require_browser
from tests.gallery.public import SCENES, staged_public
from tests.support import axe
from tests.support.overviews import NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[tuple]:
    """The page, its address, and Chromium."""
    async with async_playwright() as playwright, staged_public() as (played, url):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        yield played, url, browser
        await browser.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_nobody_is_kept_out(stage, scheme, width):
    """In every state, light and dark, on a desk and on a phone: axe-core finds no violation, the
    browser refuses nothing that the page asks for, and nothing is wider than the screen."""
    played, url, browser = stage
    page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    found: list[str] = []
    for scene in SCENES:
        played.play(scene)
        await page.goto(url)
        found += [f"{scene}: {one}" for one in await axe.violations(page)]
        if (wide := await page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{scene} is {wide} px wide")
    await page.close()
    assert found == []
    assert said == []


async def test_it_is_renewed_in_place_and_says_when_it_is_not(stage):
    """Within a minute it shows what has changed, in heading, title and icon, and keeps its place;
    where nobody renews it, it says after a quarter of an hour that it is old."""
    played, url, browser = stage
    page = await browser.new_page()
    await page.clock.install(time=NOW)
    played.play("well")
    await page.goto(url)
    stale = page.get_by_text("no longer being updated")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Everything works")
    await expect(page).to_have_title("Status")
    await expect(stale).to_be_hidden()

    played.play("mixed")
    await page.clock.run_for(timedelta(minutes=1).total_seconds() * 1000)
    await expect(page.get_by_role("heading", level=1)).to_have_text("1 of 7 does not work")
    await expect(page).to_have_title("1 of 7: Does not work – Status")
    icon = page.locator('link[rel="icon"]')
    await expect(icon).to_have_attribute("href", "icon-down.svg")

    await page.context.set_offline(True)
    await page.clock.run_for(timedelta(minutes=15).total_seconds() * 1000)
    await expect(stale).to_be_visible()
    await page.close()


async def test_it_can_be_read_without_a_script(stage):
    """All of it is in the markup."""
    played, url, browser = stage
    played.play("mixed")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(url)
    await expect(
        page.get_by_role("listitem").filter(has_text="Buy as a guest").first
    ).to_be_visible()
    await expect(page.get_by_text("no longer being updated")).to_be_hidden()
    await context.close()
