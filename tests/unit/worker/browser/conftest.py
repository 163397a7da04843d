"""A driver and a browser, started the way workers start them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.browsers.find import require_browser
from agent.worker.browser.launch import LaunchOptions, driver, launch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Playwright


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    async with driver() as playwright:
        yield playwright


@pytest.fixture
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await launch(playwright, LaunchOptions(str(require_browser())))
    yield browser
    await browser.close()
