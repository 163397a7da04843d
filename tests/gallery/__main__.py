"""`python -m tests.gallery DIR [SCENE…]`: pictures of every page in every state.

Light and dark, on a desk, on a phone and on paper. Nothing is walked: the documents are made up.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import async_playwright

from agent.browsers.find import require_browser
from tests.gallery.scenes import SCENES
from tests.gallery.serving import staged

_DESK = {"width": 1280, "height": 800}
_PHONE = {"width": 360, "height": 740}


async def shoot(folder: Path, names: list[str]) -> None:
    """Take the pictures into ``folder``."""
    async with async_playwright() as playwright, staged() as (stage, url):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        await stage.take_pictures(browser)
        for kind, viewport, scheme, media in (
            ("light", _DESK, "light", None),
            ("dark", _DESK, "dark", None),
            ("phone", _PHONE, "light", None),
            ("print", _DESK, "light", "print"),
        ):
            page = await browser.new_page(viewport=viewport, color_scheme=scheme)
            page.on("console", lambda said: sys.stderr.write(f"{said.text}\n"))
            await page.emulate_media(media=media, color_scheme=scheme)
            for scene in SCENES:
                if names and scene.name not in names and kind not in names:
                    continue
                stage.scene = scene
                await page.goto(url + scene.path)
                await page.screenshot(path=folder / f"{scene.name}-{kind}.png", full_page=True)
            await page.close()
        await browser.close()


if __name__ == "__main__":
    wanted = Path(sys.argv[1])
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(shoot(wanted, sys.argv[2:]))
