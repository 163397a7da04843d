"""A second customer's context is recorded, judged and in the evidence like the first."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.walking import site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walker

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _broken(_: web.Request) -> web.Response:
    return web.Response(status=500, text="<h1>Sorry</h1>", content_type="text/html")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    pages = {
        "/": "<title>Home</title><h1>Home</h1>",
        "/buyer": "<title>Buyer</title><script>console.error('from the buyer')</script>",
        "/seller": "<title>Seller</title>",
        "/asks": "<title>Asks</title><button onclick=\"confirm('Sure?')\">go</button>",
        "/broken": _broken,
    }
    async with Origin(pages=pages) as serving:
        yield serving


async def test_each_is_in_the_trace(walker: Walker, origin: Origin) -> None:
    """One archive holds the actions of each, of one that was closed before the failure too."""
    walked = await walker.walk(
        """
        await run.page.goto("/")
        async with run.new_context(locale="de-DE") as buyer:
            page = await buyer.new_page()
            await page.goto("/buyer")
        async with run.new_context() as seller:
            page = await seller.new_page()
            await page.goto("/seller")
            await expect(page).to_have_title("Sold", timeout=200)
        """,
        site(origin.url),
        record_trace=True,
    )
    assert walked.report.error_type is ErrorType.ASSERTION
    with zipfile.ZipFile(walked.scratch / "trace.zip") as trace:
        actions = {
            name: trace.read(name).decode() for name in trace.namelist() if name.endswith(".trace")
        }
        networks = [name for name in trace.namelist() if name.endswith(".network")]
    assert sorted(actions) == ["trace-2.trace", "trace-3.trace", "trace.trace"]
    assert len(networks) == 3
    assert "/buyer" not in actions["trace.trace"]
    assert "/seller" not in actions["trace.trace"]
    others = actions["trace-2.trace"] + actions["trace-3.trace"]
    assert "/buyer" in others
    assert "/seller" in others
    facts = json.loads((walked.scratch / "failure.json").read_text())
    assert (facts["title"], facts["missing"]) == ("Seller", [])
    assert any("from the buyer" in str(line) for line in facts["console"])


@pytest.mark.parametrize(
    ("body", "word", "says"),
    [
        ('await page.goto("/broken"); await asyncio.sleep(20)', ErrorType.HTTP_STATUS, "500"),
        ('await page.goto("chrome://crash")', ErrorType.PAGE_CRASH, "crashed"),
        (
            (
                'page.on("dialog", lambda _: None); await page.goto("/asks"); '
                'await page.get_by_role("button").click(timeout=2500)'
            ),
            ErrorType.TIMEOUT,
            "Sure?",
        ),
        ('await page.goto("http://127.0.0.1:9/")', ErrorType.SCRIPT_ERROR, "UNSAFE_PORT"),
    ],
)
async def test_each_is_judged(walker: Walker, origin: Origin, body, word, says) -> None:
    """What its page answers, dies of or asks ends the walk, as on the first."""
    walked = await walker.walk(
        f"""
        await run.page.goto("/")
        async with run.new_context(color_scheme="dark") as other:
            page = await other.new_page()
            {body}
        """,
        site(origin.url),
        timeout=18.0,
    )
    assert walked.report.error_type is word, walked.report.error
    assert says in walked.report.error
    assert walked.report.duration < 15


async def test_what_can_not_be_opened(walker: Walker, origin: Origin) -> None:
    """An option or a device that Playwright doesn't know is the author's mistake, with the line."""
    for options in ('device="Pixel 99"', 'lang="de"'):
        walked = await walker.walk(f"async with run.new_context({options}): pass", site(origin.url))
        assert walked.report.error_type is ErrorType.SCRIPT_ERROR
        assert options.partition("=")[0] in walked.report.error
        assert walked.report.place.source.startswith("async with run.new_context")
