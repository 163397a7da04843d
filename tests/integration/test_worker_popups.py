"""Popups are closed on each page of each journey of their site, and break nobody's verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.core.errors import ErrorType
from agent.core.model import PopupHandlers
from tests.support.origin import Origin
from tests.support.walking import Heard, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walked, Walker

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """<!doctype html><title>Shop</title>
<div id=banner style="position:fixed;inset:0;background:#fff">
 <button onclick="banner.remove()">Accept all</button></div>
<button onclick="document.title = 'Bought'">Buy</button>
<a href="/two" target=_blank>Terms</a>
"""
HANDLERS = '''
from agent import Run, popups


@popups(site="shop")
async def consent(run: Run) -> None:
    """Accept what the banner asks."""
    banner = run.page.locator("#banner")

    async def accept() -> None:
        {body}

    await run.page.add_locator_handler(banner, accept)
'''
ACCEPT = 'await run.page.get_by_role("button", name="Accept all").click()'
BUY = """
await run.page.goto("/")
await run.page.get_by_role("button", name="Buy").click(timeout=5000)
await expect(run.page).to_have_title("Bought")
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": PAGE, "/two": PAGE}) as serving:
        yield serving


async def walk(walker: Walker, origin: Origin, body: str, handlers: str) -> Walked:
    """Walk with these handlers, declared in a file of their own."""
    order = walker.order(body, site(origin.url), timeout=30.0)
    file = order.journey.file.replace("walk_", "closing_")
    (walker.folder / file).write_text(handlers)
    known = (PopupHandlers("shop", file, 5, "consent"),)
    return await walker.follow(
        replace(order, journey=replace(order.journey, popups=known)), Heard()
    )


@pytest.mark.parametrize(
    "body",
    [
        BUY,
        """
        async with run.new_context(locale="de-DE") as other:
            page = await other.new_page()
            await page.goto("/")
            await page.get_by_role("button", name="Buy").click(timeout=5000)
            await expect(page).to_have_title("Bought")
        """,
        """
        await run.page.goto("/")
        async with run.page.expect_popup() as opened:
            await run.page.get_by_role("link", name="Terms").click(timeout=5000)
        second = await opened.value
        await second.get_by_role("button", name="Buy").click(timeout=5000)
        await expect(second).to_have_title("Bought")
        """,
    ],
)
async def test_they_are_closed_wherever_they_come(walker, origin, body) -> None:
    """On the first page, on those of another context, and in a second tab."""
    walked = await walk(walker, origin, body, HANDLERS.format(body=ACCEPT))
    assert (walked.report.error_type, walked.report.error) == (None, "")
    assert walked.heard.logs == []


@pytest.mark.parametrize(
    ("handlers", "says"),
    [
        (
            HANDLERS.format(body='await run.page.locator("#no").click(timeout=200)'),
            'waiting for locator("#no")',
        ),
        (HANDLERS.format(body='raise KeyError("no")'), "KeyError"),
    ],
)
async def test_what_breaks_in_them_is_not_the_sites(walker, origin, handlers, says) -> None:
    """What lies over the page because they broke is told with their line, and blames nobody."""
    walked = await walk(walker, origin, BUY.replace("5000", "3000"), handlers)
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR, walked.report.error
    assert walked.report.error.startswith("@popups consent failed: ")
    assert says in walked.report.error
    assert "\nthen Locator.click: Timeout" in walked.report.error
    assert walked.report.place.file.startswith("journeys/closing_")
    assert walked.heard.logs[0][1] == "popups.failed"


async def test_a_walk_that_passes_all_the_same(walker, origin) -> None:
    """Handlers that break where nothing lies over the page are told, and the walk passes."""
    broken = HANDLERS.format(body=ACCEPT).replace(
        "banner = ", 'raise KeyError("no")\n    banner = '
    )
    walked = await walk(walker, origin, "await run.page.goto('/two')", broken)
    assert walked.report.error_type is None
    ((level, event, told),) = walked.heard.logs
    assert (level, event, told["popups"]) == ("warning", "popups.failed", "consent")
    assert told["at"].startswith("journeys/closing_")
