"""What goes with a failure: what the page waited for, and what the agent itself stopped."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEACON = "https://www.google-analytics.com/g/collect"
ALERT = (
    "<h1>Form</h1><button onclick=\"alert('Quota\\x1b exceeded'); "
    "document.querySelector('h1').textContent = 'Done'\">Save</button>"
)
THANKS = (
    f"<h1>Basket</h1><button onclick=\"fetch('{BEACON}?v=2&tid=G-1', {{method: 'POST', "
    "mode: 'no-cors'}).then(() => { location.href = '/' }).catch(() => 0)\">Pay</button>"
)
FONT = (
    "<style>@font-face { font-family: F; src: url(/never?f) }</style>"
    "<h1 style='font-family: F'>Pay</h1>"
)


async def _never(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def _cut(request: web.Request) -> web.StreamResponse:
    """Answer with a document that says how long it is, and end before that."""
    answer = web.StreamResponse(headers={"content-type": "text/html", "content-length": "9999"})
    await answer.prepare(request)
    # Long enough for a browser to show what has come.
    await answer.write(b"<!doctype html><meta charset=utf-8><h1>Pay</h1>" + b"<p>Your card" * 300)
    assert request.transport is not None
    request.transport.close()
    return answer


async def _cut_in_pieces(request: web.Request) -> web.StreamResponse:
    """The same in chunks, of which the last never comes."""
    answer = web.StreamResponse(headers={"content-type": "text/html"})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    await answer.write(b"<h1>Pay</h1><p>Your card")
    assert request.transport is not None
    request.transport.close()
    return answer


async def _no_gzip(_: web.Request) -> web.Response:
    coded = {"content-type": "text/html", "content-encoding": "gzip"}
    return web.Response(body=b"<h1>Pay</h1>" * 50, headers=coded)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    pages = {
        "/": "<h1>Home</h1>",
        "/alert": ALERT,
        "/thanks": THANKS,
        "/font": FONT,
        "/badge": "<h1>Shop</h1><script src='/never?token=s3cret'></script>",
        "/cut": _cut,
        "/pieces": _cut_in_pieces,
        "/gzip": _no_gzip,
        "/never": _never,
        "/second": "<h1>Second</h1>",
    }
    async with Origin(pages=pages) as serving:
        yield serving


async def test_an_open_dialog(walker: Walker, origin: Origin) -> None:
    """A dialog that the journey was told of and left open is named, and there is a picture."""
    walked = await walker.walk(
        """
        run.page.on("dialog", lambda dialog: None)
        await run.page.goto("/alert")
        await run.page.get_by_role("button").click(timeout=4000)
        """,
        site(origin.url),
    )
    assert walked.report.error_type is ErrorType.TIMEOUT
    assert r"alert: Quota\x1b exceeded" in walked.report.error
    assert json.loads((walked.scratch / "failure.json").read_text())["dialogs"]
    assert "screenshot.png" in walked.report.evidence


async def test_dialogs_are_left_to_the_journey(walker: Walker, origin: Origin) -> None:
    """Looking over its shoulder changes nothing: once, remove, and nobody listening."""
    walked = await walker.walk(
        """
        seen = []
        async def answer(dialog):
            seen.append(dialog.message)
            await dialog.accept()
        await run.page.goto("/alert")
        button = run.page.get_by_role("button")
        await button.click(timeout=4000)
        run.page.once("dialog", answer)
        await button.click(timeout=4000)
        await button.click(timeout=4000)
        run.context.on("dialog", answer)
        await button.click(timeout=4000)
        run.context.remove_listener("dialog", answer)
        await button.click(timeout=4000)
        assert len(seen) == 2
        """,
        site(origin.url),
    )
    assert walked.report.error_type is None, walked.report.error


async def test_open_requests(walker: Walker, origin: Origin) -> None:
    """A time-out names the requests that are still open, without what their addresses tell."""
    walked = await walker.walk('await run.page.goto("/badge", timeout=1500)', site(origin.url))
    assert walked.report.error_type is ErrorType.TIMEOUT
    assert f"still open: GET {origin.url}/never?token=REDACTED (" in walked.report.error
    assert walked.report.awaited == 0.0, "a script is no answer that the walk is owed"
    lines = """
        await run.page.goto("/second")
        await run.page.evaluate("() => { fetch('/never') }")
        await run.page.get_by_role("button").click(timeout=1200)
    """
    assert 1.0 < (await walker.walk(lines, site(origin.url))).report.awaited < 60.0
    (one,) = json.loads((walked.scratch / "failure.json").read_text())["open_requests"]
    assert one["seconds"] > 1


async def test_stopped_beacons(walker: Walker, origin: Origin) -> None:
    """A failure says which beacons the agent itself had stopped before; a pass says nothing."""
    source = """
        await run.page.goto("/thanks")
        await run.page.get_by_role("button").click()
        await expect(run.page.get_by_text("Home")).to_be_visible(timeout=4000)
        """
    walked = await walker.walk(source, site(origin.url))
    assert walked.report.error_type is ErrorType.ASSERTION
    assert walked.report.error.endswith("beacons that the agent stopped before: Google Analytics")
    assert not walked.report.error.startswith("beacons")


async def test_a_font_that_never_comes(walker: Walker, origin: Origin) -> None:
    """A picture shows what is on the screen, whatever the page still waits for."""
    walked = await walker.walk(
        """
        await run.page.goto("/font", wait_until="commit")
        await expect(run.page.get_by_role("heading")).to_have_text("never", timeout=500)
        """,
        site(origin.url),
    )
    assert "screenshot.png" in walked.report.evidence


@pytest.mark.parametrize("context", ["run.context", "await run.context.browser.new_context()"])
async def test_the_page_that_failed(walker: Walker, origin: Origin, context: str) -> None:
    """Evidence is of the page on which the walk broke, whichever tab or context that is in."""
    walked = await walker.walk(
        f"""
        await run.page.goto("/")
        tab = await ({context}).new_page()
        await tab.goto("{origin.url}/second")
        await run.context.new_page()
        await expect(tab.get_by_role("heading")).to_have_text("never", timeout=500)
        """,
        site(origin.url),
    )
    notes = json.loads((walked.scratch / "failure.json").read_text())
    assert notes["url"] == f"{origin.url}/second"


async def test_a_secret_in_a_beacons_address(walker: Walker, origin: Origin) -> None:
    """Nothing that is told of beacons holds a secret of the journey, nor do contacts."""
    walked = await walker.walk(
        f"""
        secret = run.secret("PW")
        await run.page.goto("/")
        for address in ("{BEACON}/" + secret + "/mail", "https://" + secret + ".hotjar.com/x"):
            await run.page.evaluate("u => fetch(u, {{method: 'POST'}}).catch(() => 0)", address)
        """,
        site(origin.url),
        secrets={"PW": "hunter2pw"},
    )
    assert walked.report.error_type is None, walked.report.error
    assert len(walked.report.audit.beacons) == 2
    assert "***" in walked.report.audit.beacons[0].url
    assert "hunter2pw" not in repr(walked.report)
    assert "hunter2pw" not in repr(walked.record.spans)


async def test_a_site_at_an_ipv6_address(walker: Walker) -> None:
    """It is measured like any other, and marked: headers, cookie, and by run.api."""
    async with Origin("::1", pages={"/": "<h1>Home</h1><script>fetch('/call')</script>"}) as origin:
        walked = await walker.walk(
            """
            await run.page.goto("/")
            assert await run.page.evaluate("document.cookie") == "synthetic=1"
            await run.page.wait_for_load_state("networkidle")
            await run.api.get("/api")
            """,
            site(origin.url.replace("[::1]", "[0:0::0:1]")),
        )
        assert walked.report.error_type is None, walked.report.error
        for path in ("/", "/call", "/api"):
            (asked,) = origin.asked(path)
            assert "x-synthetic-journey" in asked.headers, path
            assert "traceparent" in asked.headers, path
    spans = {span.attributes["server.address"] for span in walked.requests}
    assert spans == {"::1"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/cut", "net::ERR_CONTENT_LENGTH_MISMATCH"),
        ("/pieces", "net::ERR_INCOMPLETE_CHUNKED_ENCODING"),
        ("/gzip", "net::ERR_CONTENT_DECODING_FAILED"),
    ],
)
async def test_a_document_that_did_not_come_whole(
    walker: Walker, origin: Origin, path: str, told: str
) -> None:
    """It is what a walk broke on that only waited for its page to load."""
    lines = f'await run.page.goto("{path}", timeout=3000)'
    report = (await walker.walk(lines, site(origin.url))).report
    assert report.error_type is ErrorType.NAVIGATION
    first, then = report.error.splitlines()[:2]
    assert first == f"GET {origin.url}{path} didn't come whole: {told}"
    assert then.startswith("then Page.goto: Timeout 3000ms exceeded")


async def test_a_document_that_was_cut_short_and_left(walker: Walker, origin: Origin) -> None:
    """What comes after it on the page is told as itself, and who needs no more of it passes."""
    left = """
        from contextlib import suppress
        with suppress(TimeoutError, Exception):
            await run.page.goto("/cut", timeout=2000)
        await run.page.goto("/second")
        await expect(run.page.get_by_role("heading")).to_have_text("Home", timeout=300)
    """
    report = (await walker.walk(left, site(origin.url))).report
    assert report.error_type is ErrorType.ASSERTION, report.error
    enough = """
        await run.page.goto("/cut", wait_until="commit")
        await expect(run.page.get_by_role("heading")).to_have_text("Pay")
    """
    assert (await walker.walk(enough, site(origin.url))).report.error_type is None
    missing = """
        await run.page.goto("/cut", wait_until="commit")
        await run.page.get_by_role("button", name="Pay now").click(timeout=3000)
    """
    report = (await walker.walk(missing, site(origin.url))).report
    assert report.error_type is ErrorType.NAVIGATION, report.error
