"""`make gallery`: the pictures of `docs/gallery.md`, small enough to be kept."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Final

from playwright.async_api import async_playwright

from agent.browsers.find import require_browser
from tests.gallery.public import staged_public
from tests.gallery.scenes import SCENES
from tests.gallery.serving import staged
from tests.support.overviews import NOW
from tests.support.service import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Browser

FOLDER: Final = ROOT / "docs" / "gallery"
_QUALITY: Final = 82
_DESK: Final = (1200, 900)
_PHONE: Final = (390, 844)
_KEPT: Final = {
    "overview": ("mixed", "light", _DESK),
    "overview-dark": ("mixed", "dark", _DESK),
    "overview-phone": ("mixed", "light", _PHONE),
    "journey": ("journey-failing", "light", _DESK),
    "run": ("run-fail", "light", _DESK),
    "gate": ("gate-fail", "light", _DESK),
    "incidents": ("incidents", "light", _DESK),
}
"""Each picture: its scene, and how it is looked at."""


async def write() -> None:
    """Take every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    scenes = {scene.name: scene for scene in SCENES}
    async with async_playwright() as playwright, staged() as (stage, url):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        await stage.take_pictures(browser)
        for name, (scene, scheme, size) in _KEPT.items():
            stage.scene = scenes[scene]
            await _take(browser, url + stage.scene.path, name, scheme, size)
        async with staged_public() as (public, address):
            public.play("mixed")
            await _take(browser, address, "public", "light", _DESK)
        await browser.close()


async def _take(browser: Browser, url: str, name: str, scheme: str, size: tuple[int, int]) -> None:
    width, height = size
    page = await browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    # At the moment of which the page tells, or it would say that it is old.
    await page.clock.install(time=NOW)
    await page.goto(url)
    session = await page.context.new_cdp_session(page)
    # Playwright itself takes no WebP, which is a fifth of a PNG.
    shot = await session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(shot["data"]))
    await page.close()


if __name__ == "__main__":
    asyncio.run(write())
