"""The agent's own page, loaded before the target is blamed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.canary.page import TITLE

if TYPE_CHECKING:
    from playwright.async_api import Browser


async def try_canary(browser: Browser, url: str, timeout: float) -> str | None:  # noqa: ASYNC109
    """Load the canary in a fresh context of the same browser.

    Returns:
        None where it could be loaded, else why not.

    """
    try:
        async with asyncio.timeout(timeout):
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(url, wait_until="domcontentloaded")
            title = await page.title()
            await context.close()
    except TimeoutError:
        return f"the agent's own page did not load within {timeout:.1f} s"
    except Error as error:
        return f"the agent's own page did not load: {error}"
    return None if title == TITLE else f"the agent's own page came back as {title!r}"
