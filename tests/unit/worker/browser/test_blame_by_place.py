"""Whose fault it is follows from where an error was raised, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.browsers.find import require_browser
from agent.core.redact import Redactor
from agent.worker.browser.faults import fault_of
from agent.worker.browser.launch import LaunchOptions, driver, launch
from agent.worker.browser.raised import AuthorCode
from tests.support.origin import Origin
from tests.unit.worker.browser.blame_cases import CASES, PAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = AuthorCode(str(Path(__file__).parent))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[str]:
    async with Origin(pages=dict(PAGES)) as origin:
        yield origin.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with driver() as playwright:
        browser = await launch(playwright, LaunchOptions(str(require_browser())))
        yield browser
        await browser.close()


@pytest.mark.parametrize("name", CASES)
async def test_word(name: str, browser: Browser, site: str) -> None:
    """Each way in which a walk breaks has its word, its cause in the first line, its place."""
    case = CASES[name]
    context = await browser.new_context(base_url=site)
    context.set_default_timeout(700)
    page = await context.new_page()
    await page.goto("/")
    try:
        await case.walk(page)
    except Exception as error:  # noqa: BLE001 - whatever a journey raises
        fault = fault_of(error, CODE, Redactor().fit)
    else:
        pytest.fail("nothing was raised")
    await context.close()
    assert fault.error_type is case.word, fault.message
    assert case.says in fault.message.partition("\n")[0]
    assert not fault.unreachable
    assert fault.place is not None
    assert fault.place.file == "browser/blame_cases.py"
