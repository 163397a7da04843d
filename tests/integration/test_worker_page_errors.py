"""Uncaught errors of pages' scripts, as a real browser tells of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.walking import Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = {
    "inline": '<script>throw new TypeError("no mug")</script>',
    "file": "<script src=/own.js></script>",
    "rejected": '<script>Promise.reject(new Error("no mug"))</script>',
    "rejected with a text": '<script>Promise.reject("no mug")</script>',
    "null": "<script>throw null</script>",
    "an object that can't be told": "<script>throw {toString() { throw 1 }}</script>",
    "a proxy": "<script>throw new Proxy({}, {get() { throw 1 }})</script>",
    "syntax": "<script>var 1;</script>",
    "a file's syntax": "<script src=/syntax.js></script>",
    "a worker": "<script>new Worker('/own.js')</script>",
    "a blob's worker": "<script>new Worker(URL.createObjectURL("
    "new Blob(['throw new Error(1)'])))</script>",
    "a frame": '<iframe srcdoc="<script>throw 1</script>"></iframe>',
    "a handler": "<body onload='nope()'>",
    "a text that is run": "<script>setTimeout('nope()')</script>",
    "our own script, called by theirs": "<script>function ours() { nope() }</script>"
    "<script src={third}/calls.js></script>",
    "a stack that lies": "<script>const e = new Error('x');"
    "e.stack = 'x\\n    at https://elsewhere.test/x.js:1:1'; throw e</script>",
}
THIRD = {
    "their file": "<script src={third}/own.js></script>",
    "their file, allowed to tell": "<script crossorigin src={third}/open.js></script>",
    "their promise": "<script src={third}/rejects.js></script>",
    "their syntax": "<script src={third}/syntax.js></script>",
    "their script, called by ours": "<script src={third}/lib.js></script><script>lib()</script>",
    "their frame": "<iframe src={third}/frame></iframe>",
}
SCRIPTS = {
    "/own.js": "throw new Error('no mug')",
    "/open.js": "throw new Error('no mug')",
    "/syntax.js": "var 1;",
    "/calls.js": "ours()",
    "/lib.js": "function lib() { throw new Error('lib') }",
    "/rejects.js": "Promise.reject('no mug')",
}


def _script(text: str) -> Any:
    async def answer(_: web.Request) -> web.Response:
        headers = {"access-control-allow-origin": "*"} if "mug" in text else {}
        return web.Response(text=text, content_type="text/javascript", headers=headers)

    return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Origin]:
    scripts = {path: _script(text) for path, text in SCRIPTS.items()}
    frame = {"/frame": "<script>throw new Error('frame')</script>"}
    async with Origin("127.0.0.2", pages={**scripts, **frame}) as third, Origin() as serving:
        pages = {name: page.replace("{third}", third.url) for name, page in (OWN | THIRD).items()}
        numbered = {f"/{at}": f"<title>{n}</title>{page}" for at, (n, page) in _numbered(pages)}
        serving.pages = {**scripts, **numbered, "/": "<title>Home</title>", **EXTRA}
        yield serving


def _numbered(pages: dict[str, str]) -> Any:
    return enumerate(pages.items())


REST = 'await run.page.evaluate("() => new Promise(done => setTimeout(done, 150))")'
"""Waits for what a page has set going: by the page's own clock, however busy the machine is."""
BUTTON = """
<button onclick="setTimeout(() => { throw new Error('the cart is ' + document.cookie.length) })">
Add</button><script>document.querySelector("button")</script>
"""
MANY = """
<p id=p>…</p><script>
let n = 0;
function more() {
  for (let k = 0; k < 500; k++, n++) setTimeout(() => { throw new Error("boom") });
  if (n < 5000) setTimeout(more);
  else setTimeout(() => setTimeout(() => { document.getElementById("p").textContent = "done"; }));
}
more();
</script>
"""
EXTRA = {
    "/button": BUTTON,
    "/many": MANY,
    "/long": "<script>throw new Error('x'.repeat(3e6))</script><p>there",
    "/secret": "<script>throw new Error('for ' + new URLSearchParams(location.search).get('q'))"
    "</script>",
    "/popup": "<button onclick=\"window.open('/file')\">Open</button>",
    "/file": "<title>Popup</title><script src=/own.js></script>",
}


def facts(walked: Walked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((walked.scratch / "failure.json").read_text())
    return found


def noted(walked: Walked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = facts(walked)["page_errors"]
    return found


async def test_whose_script_it_was(walker: Walker, shop: Origin) -> None:
    """An error is the first party's by the script that raised it; else by the page."""
    visits = "\n".join(
        f'async with run.step("{at}"):\n    await run.page.goto("/{at}")\n    {REST}'
        for at in range(len(OWN | THIRD))
    )
    walked = await walker.walk(visits + "\nassert False", site(shop.url), timeout=60.0)
    assert walked.report.page_errors == {"first": len(OWN), "third": len(THIRD)}, noted(walked)


async def test_popups_and_workers_of_the_journeys_own_code(walker: Walker, shop: Origin) -> None:
    """A popup's error counts; what the journey evaluates in the page is its own."""
    body = (
        """
        await run.page.goto("/popup")
        async with run.page.expect_popup() as popup:
            await run.page.get_by_role("button").click()
        await (await popup.value).wait_for_load_state()
        await run.page.evaluate("setTimeout(() => { throw new Error('mine') })")
        await run.page.evaluate("() => { Promise.reject(new Error('mine')) }")
        await run.page.add_script_tag(content="throw new Error('mine')")
        try:
            await run.page.evaluate("() => { throw new Error('mine') }")
        except Exception:
            pass
    """
        f"\n        {REST}"
    )
    walked = await walker.walk(body, site(shop.url), fail_on=())
    assert walked.report.error_type is None, walked.report.error
    assert walked.report.page_errors == {"first": 1}


async def test_a_page_that_throws_without_end(walker: Walker, shop: Origin) -> None:
    """The first thousand are counted, and it is told that there may be more; one error is kept
    once, with how many times it came."""
    body = """
        await run.page.goto("/many")
        await expect(run.page.get_by_text("done")).to_be_visible(timeout=30_000)
        await run.page.goto("/many")
        assert False
    """
    walked = await walker.walk(body, site(shop.url), timeout=60.0)
    assert walked.report.page_errors == {"first": 1000}
    assert not facts(walked)["page_errors_all"]
    (one,) = noted(walked)
    assert one["times"] == 1000
    assert one["error"] == "Error: boom"
    assert one["at"].startswith(f"{shop.url}/many:")


async def test_a_message_of_megabytes(walker: Walker, shop: Origin) -> None:
    """It is cut, and costs the journey nothing."""
    body = 'await run.page.goto("/long")\nawait run.page.get_by_text("there").click()\nassert False'
    walked = await walker.walk(body, site(shop.url))
    assert walked.report.error_type is ErrorType.ASSERTION
    assert len(noted(walked)[0]["error"]) <= 2_000


async def test_secrets(walker: Walker, shop: Origin) -> None:
    """A secret that a page puts into its error is in nothing that leaves the worker."""
    body = f"""
        await run.page.goto("/secret?q=" + run.secret('PW'))
        {REST}
    """
    secrets = {"PW": "hunter2hunter2"}
    walked = await walker.walk(body, site(shop.url), secrets=secrets, fail_on=("page_error",))
    assert walked.report.error_type is ErrorType.ASSERTION
    assert "hunter2" not in repr(walked.report)
    assert "hunter2" not in (walked.scratch / "failure.json").read_text()
    assert walked.report.error.startswith("uncaught error on the page: Error: for ***")


async def test_fail_on(walker: Walker, shop: Origin) -> None:
    """An error of the site's own fails the walk at the step that it came in, soon after."""
    body = """
        async with run.step("Look"):
            await run.page.goto("/button")
        async with run.step("Add"):
            await run.page.get_by_role("button").click()
            await asyncio.sleep(8)
        async with run.step("Pay"):
            pass
    """
    walked = await walker.walk(body, site(shop.url), fail_on=("page_error",))
    report = walked.report
    assert report.error_type is ErrorType.ASSERTION
    assert report.error.startswith(
        f"uncaught error on the page: Error: the cart is 11 at {shop.url}/button:2:"
    )
    assert report.duration < 7, "it would have stayed for eight"
    assert walked.steps == {"Look": "pass", "Add": "fail", "Pay": "skipped"}
    assert report.place is not None
    assert "asyncio.sleep(8)" in report.place.source
    again = await walker.walk(body.replace("await asyncio.sleep(8)", REST), site(shop.url))
    assert again.report.error_type is None, "nobody asked for it"
    assert again.report.page_errors == {"first": 1}


async def test_fail_on_at_the_end_of_a_step(walker: Walker, shop: Origin) -> None:
    """A step during which it happened never passes, however soon it ends."""
    body = """
        async with run.step("Look"):
            await run.page.goto("/0")
        async with run.step("Go on"):
            pass
    """
    walked = await walker.walk(body, site(shop.url), fail_on=("page_error",))
    assert walked.steps == {"Look": "fail", "Go on": "skipped"}
    assert walked.report.error.startswith("uncaught error on the page: TypeError: no mug at ")


async def test_fail_on_is_not_for_others(walker: Walker, shop: Origin) -> None:
    """A third party's error is counted, and fails nobody's journey."""
    body = f"""
        await run.page.goto("/{len(OWN)}")
        {REST}
        await asyncio.sleep(0.6)  # for as long as a walk would be let go on after an error
    """
    walked = await walker.walk(body, site(shop.url), fail_on=("page_error",))
    assert walked.report.error_type is None, walked.report.error
    assert walked.report.page_errors == {"third": 1}


async def test_what_a_failure_says_besides(walker: Walker, shop: Origin) -> None:
    """A failure names what the site's own scripts raised before, since it is often the cause."""
    body = """
        await run.page.goto("/file")
        await expect(run.page.get_by_text("Cart")).to_be_visible(timeout=300)
    """
    walked = await walker.walk(body, site(shop.url))
    lines = walked.report.error.splitlines()
    assert lines[-1] == f"uncaught error on the page: Error: no mug at {shop.url}/own.js:1:7"
    both = await walker.walk(body, site(shop.url), fail_on=("page_error",))
    assert both.report.error.splitlines()[:2] == [lines[-1], f"then {lines[0]}"]
    assert both.report.error.count("no mug") == 1
