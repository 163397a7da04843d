"""The agent's own page, loaded before the target is blamed.

What the journey's pages do meanwhile must not decide it, so they are at rest: what is slow then
is the agent, its driver, its browser or its machine, and not the weight of a page.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.canary.page import TITLE
from agent.worker.browser.pages_at_rest import pages_at_rest

if TYPE_CHECKING:
    from playwright.async_api import Browser


async def try_canary(browser: Browser, url: str, timeout: float) -> str | None:  # noqa: ASYNC109
    """Load the canary in a fresh context of the same browser, within ``timeout`` seconds.

    Returns:
        None where it could be loaded, else why not.

    """
    try:
        async with asyncio.timeout(timeout), pages_at_rest():
            context = await type(browser).new_context(browser)  # not as the journey's are
            page = await context.new_page()
            await page.goto(url, wait_until="domcontentloaded")
            title = await page.title()
            await context.close()
    except TimeoutError:
        return f"the agent's own page did not load within {timeout:.1f} s"
    except Error as error:
        return f"the agent's own page did not load: {error}"
    return None if title == TITLE else f"the agent's own page came back as {title!r}"
