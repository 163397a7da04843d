"""A walk goes on after an optional step that the site failed, and after nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.service import free_port
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
        "/broken": _broken,
        "/raises": "<title>Raises</title><script>throw new Error('planted')</script>",
    }
    async with Origin(pages=pages) as serving:
        yield serving


GOES_ON = """
async with run.step("Open"):
    await run.page.goto("/")
async with run.step("Rate it", optional=True):
    {body}
async with run.step("Go on"):
    await run.page.goto("/")
    await expect(run.page).to_have_title("Home")
"""


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('await expect(run.page).to_have_title("Stars", timeout=100)', "assertion"),
        ('await run.page.get_by_role("button").click(timeout=100)', "timeout"),
        ('await run.page.get_by_role("button").click()', "timeout"),
        ("await asyncio.sleep(30)", "timeout"),
        ('await run.page.goto("/broken"); await asyncio.sleep(30)', "http_status"),
        ('await run.page.goto("/broken")', "http_status"),
        ('await run.page.goto("/raises"); await asyncio.sleep(30)', "assertion"),
        ('await run.page.goto("http://127.0.0.1:{free}/")', "navigation"),
    ],
)
async def test_the_walk_goes_on(walker: Walker, origin: Origin, body, word) -> None:
    """Whatever the site fails on in the step, it fails alone, is told, and costs bounded time."""
    walked = await walker.walk(
        GOES_ON.format(body=body.replace("{free}", str(free_port()))),
        site(origin.url),
        # Of which the step may take a half, so that what comes after it has its time.
        timeout=10.0,
        fail_on=("page_error",),
    )
    assert (walked.report.error_type, walked.report.error) == (None, "")
    assert walked.steps == {"Open": "pass", "Rate it": "fail", "Go on": "pass"}
    assert {one.name: one.optional for one in walked.record.steps}["Rate it"]
    ((level, event, told),) = walked.heard.logs
    assert (level, event, told["step"]) == ("warning", "step.optional_failed", "Rate it")
    assert told["error_type"] == word
    assert told["at"].startswith("journeys/walk_")
    span = next(one for one in walked.record.spans if one.name == "step Rate it")
    assert (span.status, span.attributes["footfall.step.optional"]) == ("error", True)
    assert span.message


async def test_what_goes_on_still_counts(walker: Walker, origin: Origin) -> None:
    """A step after it fails the walk as ever; one inside it doesn't, and neither does its name."""
    walked = await walker.walk(
        """
        async with run.step("Rate it", optional=True):
            await run.page.goto("/")
            async with run.step("Find the stars"):
                raise AssertionError("no stars")
        async with run.step("Pay"):
            raise AssertionError("no total")
        """,
        site(origin.url),
    )
    assert (walked.report.error_type, walked.report.error) == (ErrorType.ASSERTION, "no total")
    told = {one.name: (one.result.value, one.optional) for one in walked.record.steps}
    assert told == {
        "Find the stars": ("fail", True),
        "Rate it": ("fail", True),
        "Pay": ("fail", False),
    }


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{}["missing"]', ErrorType.SCRIPT_ERROR),
        ('await run.page.locator("a >> >> b").click()', ErrorType.SCRIPT_ERROR),
        ("run.page.goto('/')", ErrorType.SCRIPT_ERROR),
        ('await run.page.goto("chrome://crash")', ErrorType.PAGE_CRASH),
    ],
)
async def test_what_is_not_the_sites_alone(walker: Walker, origin: Origin, body, word) -> None:
    """An author's own mistake in it, or a page that is gone for good, ends the walk as ever."""
    walked = await walker.walk(GOES_ON.format(body=body), site(origin.url), timeout=20.0)
    assert walked.report.error_type is word
