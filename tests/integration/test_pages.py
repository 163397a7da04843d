"""The pages in a real browser, in every state they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from agent.browsers.find import require_browser
from tests.gallery.scenes import SCENES
from tests.gallery.serving import Stage, staged
from tests.support import axe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[tuple[Stage, str, Browser]]:
    """The pages, their address, and Chromium."""
    async with async_playwright() as playwright, staged() as (played, url):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        yield played, url, browser
        await browser.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_nobody_is_kept_out(stage, scheme, width) -> None:
    """In every state, light and dark, on a desk and on a phone: axe-core finds no violation, the
    browser refuses nothing that a page asks for, and nothing is wider than the screen."""
    played, url, browser = stage
    page = await browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    said: list[str] = []
    found: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for scene in SCENES:
        played.scene = scene
        answer = await page.goto(url + scene.path)
        assert answer is not None
        assert answer.status == (404 if scene.name == "not-found" else 200), scene.name
        found += [f"{scene.name}: {one}" for one in await axe.violations(page)]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{scene.name} is {wide} px wide")
    await page.close()
    assert found == []
    missing = "the server responded with a status of 404"
    assert [line for line in said if missing not in line] == []
