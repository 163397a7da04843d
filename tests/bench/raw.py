"""What everything is compared with: bare Playwright, warm driver, a fresh browser each time.

Run as a program, ``raw.py URL EXECUTABLE`` walks for ever and prints one line a walk.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright, expect

from agent.worker.browser.launch import _ARGS, needs_no_sandbox

if TYPE_CHECKING:
    from playwright.async_api import Playwright


async def _walk(playwright: Playwright, url: str, executable: str, args: list[str]) -> None:
    browser = await playwright.chromium.launch(executable_path=executable, args=args)
    context = await browser.new_context(base_url=url)
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_role("link", name="two").click()
    await page.get_by_role("button", name="go").click()
    await expect(page.get_by_text("done")).to_be_visible()
    # As the agent ends a run; closing the context first would cost one more turn.
    await browser.close()


async def _main(url: str, executable: str) -> None:
    args = [*_ARGS, *(["--no-sandbox"] if needs_no_sandbox() else [])]
    async with async_playwright() as playwright:
        while True:
            await _walk(playwright, url, executable, args)
            sys.stdout.write("walked\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
