"""What a failed walk leaves behind, and what must not be in it."""

from __future__ import annotations

import asyncio
import json
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from agent.protocol.messages import FROM_WORKER, SpanEnded, StepEnded
from tests.support.origin import Origin
from tests.support.walking import Heard, Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "s3cr&t wörd!"
LOUD = """
<title>Account {secret}</title>
<h1 id=shown>{secret}</h1><input id=code value="12345678">
<script>console.log("says", new URLSearchParams(location.search).get("q"));
setTimeout(() => {{ throw new Error("thrown " + new URLSearchParams(location.search).get("q")) }});
fetch("/missing?q=" + encodeURIComponent("{secret}"));</script>
"""


async def _loud(request: web.Request) -> web.Response:
    text = LOUD.format(secret=request.query.get("q", ""))
    return web.Response(text=text, content_type="text/html")


async def _hangs(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    pages = {
        "/": "<title>Home</title><h1>Home</h1>",
        "/loud": _loud,
        "/hangs": _hangs,
        "/unstyled": "<link rel=stylesheet href=/hangs><h1>Home</h1>",
    }
    async with Origin(pages=pages) as serving:
        yield serving


def noted(walked: Walked) -> dict[str, object]:
    return json.loads((walked.scratch / "failure.json").read_text())


def unpacked(walked: Walked) -> dict[str, str]:
    """The entries of the trace, which has to be whole."""
    with zipfile.ZipFile(walked.scratch / "trace.zip") as archive:
        assert archive.testzip() is None
        entries = {one: archive.read(one).decode(errors="replace") for one in archive.namelist()}
    for name in ("trace.trace", "trace.network"):
        assert all(json.loads(line) for line in entries[name].splitlines())
    return entries


async def test_evidence(walker: Walker, origin: Origin) -> None:
    """A failure leaves screenshot, trace, and notes of page, console and failed requests."""
    walked = await walker.walk(
        """
        await run.page.goto("/loud?q=mug")
        await run.page.wait_for_load_state("networkidle")
        assert False, "no good"
        """,
        site(origin.url),
        record_trace=True,
    )
    assert set(walked.report.evidence) == {
        "aria.yml",
        "failure.json",
        "screenshot.png",
        "trace.zip",
    }
    assert (walked.scratch / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    entries = unpacked(walked)
    assert "Account mug" in entries["trace.trace"]
    assert f"{origin.url}/loud?q=mug" in entries["trace.network"]
    assert any(name.endswith(".jpeg") for name in entries)
    assert any(
        "<h1 id=shown>mug" in text for name, text in entries.items() if name.endswith(".html")
    )
    notes = noted(walked)
    assert notes["error_type"] == "assertion"
    assert str(notes["error"]).startswith("no good")
    assert (notes["url"], notes["title"]) == (f"{origin.url}/loud?q=mug", "Account mug")
    assert "log: says mug" in notes["console"]
    assert [one["error"] for one in notes["page_errors"]] == ["Error: thrown mug"]
    unloaded = [line for line in notes["console"] if "Failed to load resource" in line]
    assert [line.rpartition(" ")[2] for line in unloaded] == [f"{origin.url}/missing?q=mug"]
    assert f"404 GET {origin.url}/missing?q=mug" in notes["failed_requests"]
    assert notes["missing"] == []


UNANSWERED = {
    "document": 'await run.page.goto("/hangs", timeout=400)',
    "next document": 'await run.page.goto("/")\nawait run.page.goto("/hangs", timeout=400)',
    "style sheet": 'await run.page.goto("/unstyled", timeout=400)',
    "route of the journey's": "async def silent(route): ...\n"
    "await run.page.route('**/*', silent)\nawait run.page.goto('/', timeout=400)",
}


@pytest.mark.parametrize("name", UNANSWERED)
async def test_a_page_that_waits_for_an_answer_has_its_picture(
    walker: Walker, origin: Origin, name: str
) -> None:
    """What a customer sees of a site that hangs; not after ten seconds that end in nothing."""
    walked = await walker.walk(UNANSWERED[name], site(origin.url), timeout=20.0, record_trace=True)
    assert walked.report.error_type is ErrorType.TIMEOUT
    assert noted(walked)["missing"] == []
    assert (walked.scratch / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    written = (walked.scratch / "failure.json").stat().st_mtime
    ended = walked.report.started_at + walked.report.duration
    assert written - ended < 9.0, "the picture was waited for until its time was over"


async def test_nothing_of_a_pass(walker: Walker, origin: Origin) -> None:
    """A walk that passes leaves its trace alone, where one is recorded."""
    walked = await walker.walk('await run.page.goto("/")', site(origin.url), record_trace=True)
    assert walked.report.evidence == ("trace.zip",)
    walked = await walker.walk('await run.page.goto("/")', site(origin.url))
    assert walked.report.evidence == ()
    assert list(walked.scratch.iterdir()) == []


async def test_a_trace_that_is_not_kept(walker: Walker, origin: Origin) -> None:
    """Where a trace would give a secret away none is kept, and a pass says so in its log."""
    source = """
    half = run.secret("PW")[:13]
    await run.page.goto("/")
    await run.page.evaluate("text => document.title = text", half)
    """
    secrets = {"PW": "correct-horse-battery"}
    walked = await walker.walk(source, site(origin.url), secrets=secrets, record_trace=True)
    assert walked.report.error_type is None
    assert walked.report.evidence == ()
    assert list(walked.scratch.iterdir()) == []
    why = "trace.zip: it shows a part of a secret that the journey used"
    assert walked.heard.logs == [("warning", "evidence.missing", {"missing": [why]})]
    failing = f"{source}assert False"
    walked = await walker.walk(failing, site(origin.url), secrets=secrets, record_trace=True)
    assert set(walked.report.evidence) == {"aria.yml", "screenshot.png", "failure.json"}
    assert noted(walked)["missing"] == [why]


async def test_no_secret(walker: Walker, origin: Origin) -> None:
    """A secret is in no message, span, log or file, however the page and the author spell it."""
    walked = await walker.walk(
        """
        from urllib.parse import quote
        secret = run.secret("PW")
        assert run.secret("PW") == secret
        async with run.step("Open " + secret):
            await run.page.goto("/loud?q=" + quote(secret))
            await run.page.wait_for_load_state("networkidle")
            send = "s => fetch('/?a=' + encodeURIComponent(s)).then(r => r.text())"
            await run.page.evaluate(send, secret)
            run.mask(run.page.locator("#shown"))
            run.log.warning("got " + secret, **{secret: [secret]})
            raise ValueError("bad password " + secret)
        """,
        site(origin.url),
        secrets={"PW": SECRET},
        record_trace=True,
    )
    report = walked.report
    assert report.error_type is ErrorType.SCRIPT_ERROR
    assert "bad password ***" in report.error
    assert walked.steps == {"Open ***": "fail"}
    assert walked.heard.logs == [("warning", "got ***", {"***": ["***"]})]
    crossed = [FROM_WORKER.dump_json(SpanEnded(span)).decode() for span in walked.record.spans]
    crossed += [FROM_WORKER.dump_json(StepEnded(s, 0)).decode() for s in walked.record.steps]
    files = [path.read_bytes().decode(errors="replace") for path in walked.scratch.iterdir()]
    files += unpacked(walked).values()
    for text in [report.error, *crossed, *files]:
        for part in ("s3cr", "wörd", "w%C3%B6rd"):
            assert part not in text
    assert set(report.evidence) == {"aria.yml", "screenshot.png", "failure.json", "trace.zip"}


@pytest.mark.parametrize("pin", ["walked", "pass", "span", "kind", ""])
async def test_short_pin(walker: Walker, origin: Origin, pin: str) -> None:
    """A secret that is part of ids and words of the agent's own damages none of them."""
    order = walker.order(
        """
        run.secret("PIN")
        async with run.step("One"):
            await run.page.goto("/")
        """,
        site(origin.url),
    )
    walked = await walker.follow(order, Heard({"PIN": pin or order.trace_id[8:12]}))
    assert walked.report.error_type is None
    assert walked.steps == {"One": "pass"}
    assert {span.trace_id for span in walked.record.spans} == {walked.order.trace_id}


async def test_the_next_journey_has_to_ask(walker: Walker, origin: Origin) -> None:
    """A secret is forgotten after the walk: the next one in the same worker gets its own."""
    source = "await run.page.goto('/'); assert run.secret('PW') == run.params['expected']"
    for value in ("first-word", "second-word"):
        walked = await walker.walk(
            source, site(origin.url), secrets={"PW": value}, params={"expected": value}
        )
        assert walked.report.error_type is None, walked.report.error


async def test_masks(walker: Walker, origin: Origin) -> None:
    """An element that the author masks is painted over in the screenshot."""

    async def picture(mask: str) -> bytes:
        walked = await walker.walk(
            f"""
            await run.page.goto("/loud?q=mug")
            {mask}
            assert False
            """,
            site(origin.url),
        )
        return (walked.scratch / "screenshot.png").read_bytes()

    plain = await picture("pass")
    assert await picture("pass") == plain
    assert await picture('run.mask(run.page.locator("#code"))') != plain


async def test_password_fields(walker: Walker, origin: Origin) -> None:
    """A password field is painted over, in frames too: a picture doesn't even tell its length."""

    async def picture(kind: str, value: str) -> bytes:
        html = (
            f"<input type={kind} value={value}><iframe srcdoc='<input type={kind} value={value}>'>"
        )
        walked = await walker.walk(
            f"""
            await run.page.goto("/")
            await run.page.set_content({html!r})
            assert False
            """,
            site(origin.url),
        )
        return (walked.scratch / "screenshot.png").read_bytes()

    assert await picture("text", "short") != await picture("text", "quite-long")
    assert await picture("password", "short") == await picture("password", "quite-long")


async def test_secret_of_no_environment(walker: Walker, origin: Origin) -> None:
    """No variable of the agent's reaches worker, driver or browser unless it is known harmless."""
    walked = await walker.walk("await run.page.goto('/')", site(origin.url))
    assert walked.report.error_type is None
    seen = 0
    for process in walker.processes():
        # The walk's own browser is just going away: what is left of it has no environment.
        with suppress(psutil.Error):
            names = process.environ()
            assert not [name for name in names if name.startswith(("PYTEST", "FOOTFALL_S"))]
            seen += 1
    assert seen >= 2
