"""What a walk in a real browser comes to: each row of the table of errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.service import free_port
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walked

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _answer(request: web.Request) -> web.Response:
    status = int(request.query["status"])
    return web.Response(status=status, text="<p>no</p>", content_type="text/html")


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    raise AssertionError("nobody waits that long")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    pages = {
        "/": "<title>Home</title><h1>Home</h1><a href='/two'>two</a>",
        "/two": "<title>Two</title><h1>Two</h1>",
        "/status": _answer,
        "/slow": _slow,
        "/busy": (
            "<title>Busy</title><h1>Busy</h1><button onclick='"
            "const end = performance.now() + 120; while (performance.now() < end);"
            "this.textContent = `done`'>work</button>"
        ),
        "/late": (
            "<title>Late</title><body><script>"
            "onload = () => setTimeout(() => document.body.append(`late`), 80)</script>"
        ),
        "/popup": "<button onclick=\"window.open('/status?status=500')\">open</button>",
    }
    async with Origin(pages=pages) as serving:
        yield serving


async def test_pass(walker: Walker, origin: Origin) -> None:
    """A journey that gets through passes, with its steps, spans and vitals."""
    walked = await walker.walk(
        """
        async with run.step("Open"):
            await run.page.goto("/")
        async with run.step("Go on"):
            async with run.step("Click"):
                await run.page.get_by_role("link", name="two").click()
            await expect(run.page).to_have_title("Two")
        run.log.info("there", page=2)
        """,
        site(origin.url),
    )
    report = walked.report
    assert (report.error_type, report.error, report.evidence) == (None, "", ())
    assert walked.steps == {"Open": "pass", "Click": "pass", "Go on": "pass"}
    assert walked.heard.started == [("Open", 0), ("Go on", 0), ("Click", 1)]
    assert [depth for _, depth in walked.heard.ended] == [0, 1, 0]
    assert walked.heard.logs == [("info", "there", {"page": 2})]
    assert [span.attributes["url.full"] for span in walked.requests] == [
        f"{origin.url}/",
        f"{origin.url}/two",
    ]
    assert report.requests["first ok"] >= 2
    assert {vital.vital for vital in report.vitals} >= {"ttfb", "cls"}
    parents = {span.name: span.parent_id for span in walked.record.spans}
    ids = {span.name: span.span_id for span in walked.record.spans}
    assert parents["step Open"] == walked.order.span_id
    assert parents["step Click"] == ids["step Go on"]
    assert {span.trace_id for span in walked.record.spans} == {walked.order.trace_id}


KNOWN = (
    "kind => new Promise(done => new PerformanceObserver(() => done(true))"
    ".observe({type: kind, buffered: true, durationThreshold: 16}))"
)
"""Waits until the browser has an entry of a kind."""


def vitals_of(walked: Walked) -> dict[str, dict[str, float]]:
    """What each step's span says of its page."""
    return {
        span.name.removeprefix("step "): {
            key.removeprefix("footfall.web_vital."): value
            for key, value in span.attributes.items()
            if key.startswith("footfall.web_vital.")
        }
        for span in walked.record.spans
    }


async def test_vitals_of_steps(walker: Walker, origin: Origin) -> None:
    """The step that loads a page carries its load, the one that clicks what the click took; a
    step that brings nothing carries nothing, and each reading of the report names its step."""
    walked = await walker.walk(
        f"""
        known = {KNOWN!r}
        async with run.step("Load"):
            await run.page.goto("/busy")
            await run.page.evaluate(known, "largest-contentful-paint")
        async with run.step("Click"):
            await run.page.get_by_role("button").click()
            await run.page.evaluate(known, "event")
        async with run.step("Look"):
            await expect(run.page).to_have_title("Busy")
        """,
        site(origin.url),
    )
    assert walked.report.error_type is None, walked.report.error
    seen = vitals_of(walked)
    assert seen["Load"].keys() == {"lcp", "fcp", "ttfb", "cls"}
    assert seen["Click"].keys() == {"inp"}
    assert 0.1 < seen["Click"]["inp"] < 10
    assert seen["Look"] == {}
    ids = {span.name: span.span_id for span in walked.record.spans}
    told = {vital.vital: (vital.value, vital.span_id) for vital in walked.report.vitals}
    assert told["lcp"] == (seen["Load"]["lcp"], ids["step Load"])
    assert told["inp"] == (seen["Click"]["inp"], ids["step Click"])


async def test_vitals_of_a_hasty_step(walker: Walker, origin: Origin) -> None:
    """A step that ends before its page was painted is given the time in which that shows; on a
    machine that is busy with other things, one walk in five is enough."""
    for _ in range(5):
        walked = await walker.walk(
            """
            async with run.step("Load"):
                await run.page.goto("/late")
            """,
            site(origin.url),
        )
        seen = vitals_of(walked)
        if {"lcp", "fcp"} <= seen["Load"].keys():
            break
    else:
        raise AssertionError(seen)


@pytest.mark.parametrize(
    ("body", "error_type", "message"),
    [
        ("assert 1 == 2", ErrorType.ASSERTION, "1 == 2"),
        ("assert 1 == 2, 'the sum is wrong'", ErrorType.ASSERTION, "the sum is wrong"),
        (
            "await expect(run.page.get_by_text('Gone')).to_be_visible(timeout=200)",
            ErrorType.ASSERTION,
            "Gone",
        ),
        (
            "await run.page.get_by_text('Gone').click(timeout=200)",
            ErrorType.TIMEOUT,
            "Timeout 200ms exceeded",
        ),
        ("await run.page.goto('/slow', timeout=300)", ErrorType.TIMEOUT, "300ms exceeded"),
        ("await run.page.goto('/status?status=503')", ErrorType.HTTP_STATUS, "answered 503"),
        ("1 / 0", ErrorType.SCRIPT_ERROR, "ZeroDivisionError"),
        ("import sys; sys.exit(3)", ErrorType.SCRIPT_ERROR, "SystemExit"),
        ("run.secret('NONE')", ErrorType.SCRIPT_ERROR, "secret NONE: there is none"),
        ("await run.page.goto('chrome://crash')", ErrorType.PAGE_CRASH, "crashed"),
        ("await run.context.browser.close()", ErrorType.SCRIPT_ERROR, "belongs to the agent"),
    ],
)
async def test_error_types(
    walker: Walker, origin: Origin, body: str, error_type: ErrorType, message: str
) -> None:
    """Each way to fail has its word, a telling message, evidence, and a canary that loads."""
    walked = await walker.walk(
        f"""
        async with run.step("Open"):
            await run.page.goto("/")
        async with run.step("Fail"):
            {body}
        async with run.step("Never"):
            pass
        """,
        site(origin.url),
    )
    report = walked.report
    assert report.error_type is error_type
    assert message in report.error
    assert report.canary is None
    assert not report.unreachable
    assert walked.steps == {"Open": "pass", "Fail": "fail", "Never": "skipped"}
    assert "failure.json" in report.evidence
    for name in report.evidence:
        assert (walked.scratch / name).stat().st_size


async def test_deadline(walker: Walker, origin: Origin) -> None:
    """The attempt's own deadline ends it, and the message says in which step it was."""
    walked = await walker.walk(
        """
        await run.page.goto("/")
        async with run.step("Wait"):
            async with run.step("Inside"):
                await asyncio.sleep(30)
        """,
        site(origin.url),
        timeout=3.0,
    )
    assert walked.report.error_type is ErrorType.TIMEOUT
    says = "not done after 3 s in step 'Wait › Inside': in the journey's own code for "
    assert walked.report.error.startswith(says)
    assert 3.0 <= walked.report.duration < 20
    assert walked.steps == {"Inside": "fail", "Wait": "fail"}


async def test_unreachable(walker: Walker) -> None:
    """A refused connection is a navigation error that says that nothing was reached."""
    walked = await walker.walk('await run.page.goto("/")', site(f"http://127.0.0.1:{free_port()}"))
    assert walked.report.error_type is ErrorType.NAVIGATION
    assert walked.report.unreachable
    assert walked.report.canary is None
    walked = await walker.walk('await run.api.get("/")', site(f"http://127.0.0.1:{free_port()}"))
    assert walked.report.error_type is ErrorType.NAVIGATION
    assert walked.report.unreachable


async def test_allowed_status(walker: Walker, origin: Origin) -> None:
    """A status that the author expects is no failure; any other still is."""
    allowed = """
        run.allow_status(404)
        await run.page.goto("/status?status={}")
    """
    assert (await walker.walk(allowed.format(404), site(origin.url))).report.error_type is None
    walked = await walker.walk(allowed.format(410), site(origin.url))
    assert walked.report.error_type is ErrorType.HTTP_STATUS


async def test_status_of_a_popup(walker: Walker, origin: Origin) -> None:
    """A popup's document counts as a main document."""
    walked = await walker.walk(
        """
        await run.page.goto("/popup")
        async with run.context.expect_page() as opened:
            await run.page.get_by_role("button").click()
        await (await opened.value).wait_for_load_state()
        """,
        site(origin.url),
    )
    assert walked.report.error_type is ErrorType.HTTP_STATUS


async def test_status_before_what_follows(walker: Walker, origin: Origin) -> None:
    """The page that could not be used says more than what was missing on it."""
    walked = await walker.walk(
        """
        async with run.step("Open"):
            await run.page.goto("/status?status=500")
            await expect(run.page.get_by_text("Home")).to_be_visible(timeout=200)
        """,
        site(origin.url),
    )
    assert walked.report.error_type is ErrorType.HTTP_STATUS
    assert "answered 500; then" in walked.report.error


async def test_request_under_way(walker: Walker, origin: Origin) -> None:
    """The request on which a walk broke has its span, though no answer ever came."""
    walked = await walker.walk(
        """
        await run.page.goto("/")
        async with run.step("Ask"):
            await run.page.evaluate("fetch('/slow').then(r => r.text())")
        """,
        site(origin.url),
        timeout=4.0,
    )
    assert walked.report.error_type is ErrorType.TIMEOUT
    span = walked.requests[-1]
    assert span.attributes["url.full"] == f"{origin.url}/slow"
    assert (span.status, span.attributes["error.type"]) == ("error", "unfinished")
    assert 0.1e9 < span.end_ns - span.start_ns < 6e9
    assert walked.report.requests["first ok"] == 1
    assert "first failed" not in walked.report.requests


async def test_request_left_behind(walker: Walker, origin: Origin) -> None:
    """A request that a passing walk left open is no error."""
    walked = await walker.walk(
        """
        await run.page.goto("/")
        async with run.page.expect_request("**/slow"):
            await run.page.evaluate("void fetch('/slow')")
        """,
        site(origin.url),
    )
    assert walked.report.error_type is None
    span = walked.requests[-1]
    assert span.attributes["url.full"] == f"{origin.url}/slow"
    assert span.status == "unset"
    assert "error.type" not in span.attributes


async def test_nothing_measured(walker: Walker, origin: Origin) -> None:
    """A walk that passes without an answer of its site is a script error, never green."""
    walked = await walker.walk("run.page.goto('/').close()", site(origin.url))
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert "measured nothing" in walked.report.error


async def test_an_api_alone_is_measured(walker: Walker, origin: Origin) -> None:
    """A journey may do without pages: what ``run.api`` hears counts, and is counted."""
    walked = await walker.walk("await run.api.get('/')", site(origin.url))
    assert walked.report.error_type is None
    assert walked.report.requests == {"first ok": 1}


async def test_parameters_are_as_new_as_the_import(walker: Walker, origin: Origin) -> None:
    """Those that the file computes are those of the worker that walks, as under once; those
    that the configuration gives stand over them."""
    decorator = '@journey(site="shop", owner="tests", params={"at": time.time(), "sku": "mug"})'
    source = """
    await run.page.goto("/")
    assert time.time() - run.params["at"] < 60, run.params
    assert run.params["sku"] == "cup"
    """
    walked = await walker.walk(
        source,
        site(origin.url),
        decorator=decorator,
        params={"at": 0.0, "sku": "cup"},
        configured_params=("sku",),
    )
    assert walked.report.error_type is None, walked.report


async def test_what_a_run_knows_of_its_site_and_files(walker: Walker, origin: Origin) -> None:
    """Name and address of the site; a file beside the journey, to be uploaded; one that isn't
    there is the author's mistake, told with its line."""
    (walker.folder / "photo.png").write_bytes(b"\x89PNG")
    walked = await walker.walk(
        """
        await run.page.goto("/")
        await run.page.evaluate("document.body.innerHTML = '<input type=file id=up>'")
        await run.page.locator("#up").set_input_files(run.file("photo.png"))
        name = await run.page.locator("#up").evaluate("up => up.files[0].name")
        run.log.info("knows", site=run.site.name, url=run.site.url, name=name)
        run.file("foto.png")
        """,
        site(origin.url),
    )
    [(_, _, known)] = [one for one in walked.heard.logs if one[1] == "knows"]
    assert known == {"site": "shop", "url": origin.url, "name": "photo.png"}
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert walked.report.error.startswith("FileNotFoundError: run.file('foto.png'): there is no ")
    assert walked.report.place is not None
    assert walked.report.place.source == 'run.file("foto.png")'
