"""What a walk is blamed on, from end to end: challenges, recorders, forgotten awaits, deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walked

pytestmark = pytest.mark.asyncio(loop_scope="module")


def challenge(request: web.Request) -> web.Response:
    """Answer as the query says: ``?status=403&name=cf-mitigated&value=challenge``."""
    status, name = int(request.query["status"]), request.query["name"]
    headers = {name: request.query["value"]}
    return web.Response(status=status, text="are you a bot?", headers=headers)


async def challenged(request: web.Request) -> web.Response:
    return challenge(request)


async def passed_by_itself(request: web.Request) -> web.Response:
    """Challenge a browser that is new, and let it pass with the cookie that its script sets."""
    if "passed" in request.cookies:
        return web.Response(text="<h1>Home</h1>", content_type="text/html")
    script = "<script>document.cookie = 'passed=1'; setTimeout(() => location.reload(), 200)"
    return web.Response(
        status=403,
        text=f"{script}</script>",
        content_type="text/html",
        headers={"cf-mitigated": "challenge"},
    )


PAGES = {
    "/": "<link rel=icon href=data:,><title>Home</title><h1>Home</h1><button>Buy</button>",
    "/bot": challenged,
    "/passed": passed_by_itself,
    "/calls": "<link rel=icon href=data:,><h1>Cart</h1><script>"
    "fetch('/bot' + location.search)</script>",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages=dict(PAGES)) as serving:
        yield serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walker]:
    # Named as the package is: the author's lines are found all the same.
    folder = tmp_path_factory.mktemp("blame") / "agent" / "journeys"
    folder.mkdir(parents=True)
    async with Walker(folder, max_runs=500) as ready:
        yield ready


SIGNS = [
    (403, "cf-mitigated", "challenge"),
    (503, "cf-mitigated", "challenge"),
    (202, "x-amzn-waf-action", "challenge"),
    (405, "x-amzn-waf-action", "captcha"),
    (429, "x-vercel-mitigated", "challenge"),
    (403, "x-dd-b", "1"),
    (429, "x-kpsdk-ct", "0abc"),
]
ASKS = {
    "page": "await run.page.goto('/bot?{query}')\nawait run.page.click('#buy', timeout=500)",
    "popup": "await run.page.goto('/')\n"
    "await run.page.evaluate('open(\"/bot?{query}\")')\n"
    "await asyncio.sleep(5)",
    "api": "assert (await run.api.get('/bot?{query}')).status == 200",
    "json": "await (await run.api.get('/bot?{query}')).json()",
    "call": "await run.page.goto('/calls?{query}')\n"
    "await expect(run.page.locator('#total')).to_be_visible(timeout=700)",
}


@pytest.mark.parametrize(
    ("ask", "sign"),
    [*(("page", sign) for sign in SIGNS), *((ask, SIGNS[2]) for ask in ASKS if ask != "page")],
    ids=str,
)
async def test_challenged(
    walker: Walker, origin: Origin, ask: str, sign: tuple[int, str, str]
) -> None:
    """An edge that takes the agent for a bot is not the site's failure, however it was asked."""
    status, name, value = sign
    query = f"status={status}&name={name}&value={value}"
    walked = await walker.walk(ASKS[ask].format(query=query), site(origin.url))
    assert walked.report.error_type is ErrorType.CHALLENGED, walked.report.error
    assert f"{name}: {value}" in walked.report.error
    assert "docs/identity.md" in walked.report.error


async def test_a_challenge_that_the_browser_passes(walker: Walker, origin: Origin) -> None:
    """A challenge that the browser passes by itself is over: the walk goes on."""
    walked = await walker.walk(
        "await run.page.goto('/passed')\nawait expect(run.page.locator('h1')).to_have_text('Home')",
        site(origin.url),
    )
    assert walked.report.error_type is None, walked.report.error


async def test_a_challenge_that_the_journey_expects(walker: Walker, origin: Origin) -> None:
    """A journey that looks whether strangers are challenged goes on from there."""
    walked = await walker.walk(
        "run.allow_status(403)\n"
        "await run.page.goto('/bot?status=403&name=cf-mitigated&value=challenge')\n"
        "await asyncio.sleep(3.5)",
        site(origin.url),
    )
    assert walked.report.error_type is None, walked.report.error


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [(403, "server", "cloudflare"), (405, "x-amzn-waf-action", "block")],
)
async def test_a_refusal_is_no_challenge(
    walker: Walker, origin: Origin, status: int, name: str, value: str
) -> None:
    """What an edge forbids is http_status, as what the site forbids is."""
    query = f"status={status}&name={name}&value={value}"
    walked = await walker.walk(f"await run.page.goto('/bot?{query}')", site(origin.url))
    assert walked.report.error_type is ErrorType.HTTP_STATUS


FORGOTTEN = {
    "expect": ("expect(run.page.locator('h1')).to_have_text('x')", "await"),
    "click": ("run.page.click('button')", "await"),
    "api": ("run.api.get('/')", "await"),
    "tested": ("assert run.page.title()", "await"),
    "compared": ("assert run.page.title() == 'Home'", "await"),
    "own": ("helper()", "await"),
    "kept": ("waiting = run.page.wait_for_timeout(10)", "await"),
    "step": ("run.step('Pay')", "async with"),
}


@pytest.mark.parametrize("name", FORGOTTEN)
@pytest.mark.parametrize("then", ["pass", "await run.page.click('#never', timeout=200)"])
async def test_a_forgotten_await(walker: Walker, origin: Origin, name: str, then: str) -> None:
    """What was called in vain neither passes nor blames the site: its line is named."""
    line, word = FORGOTTEN[name]
    walked = await walker.walk(
        f"async def helper(): pass\nawait run.page.goto('/')\n{line}\n{then}", site(origin.url)
    )
    report = walked.report
    assert report.error_type is ErrorType.SCRIPT_ERROR, report.error
    assert f"write `{word}` before it" in report.error
    assert report.place is not None
    file, number = walked.order.journey.file, walked.order.journey.line + 4
    assert (report.place.file, report.place.line) == (f"journeys/{file}", number)


async def test_nothing_was_forgotten(walker: Walker, origin: Origin) -> None:
    """Tasks, handlers and steps that are used as they should be are no forgotten ones."""
    walked = await walker.walk(
        """
        run.page.on("dialog", lambda dialog: dialog.accept())
        async with run.step("Open"):
            await asyncio.gather(run.page.goto("/"), run.api.get("/"))
        await run.page.evaluate("alert(1)")
        task = asyncio.create_task(run.page.wait_for_selector("#never"))
        await asyncio.sleep(0.05)
        task.cancel()
        """,
        site(origin.url),
    )
    assert walked.report.error_type is None, walked.report.error


async def test_the_journeys_own_recorder(walker: Walker, origin: Origin) -> None:
    """Where a journey records a trace of its own, ours gives way and says so."""
    walked = await walker.walk(
        """
        await run.context.tracing.start(snapshots=True)
        await run.page.goto("/")
        await run.context.tracing.stop(path="/dev/null")
        await expect(run.page.locator("h1")).to_have_text("never", timeout=200)
        """,
        site(origin.url),
        record_trace=True,
    )
    assert walked.report.error_type is ErrorType.ASSERTION, walked.report.error
    assert "trace.zip" not in walked.report.evidence
    assert "the journey recorded itself" in (walked.scratch / "failure.json").read_text()


WAITS = {
    "call": ("await run.page.wait_for_selector('#never', timeout=9000)", "Page.wait_for_selector"),
    "expect": (
        "await expect(run.page.locator('#never')).to_be_visible(timeout=9000)",
        "LocatorAssertions.to_be_visible",
    ),
    "group": (
        "await asyncio.gather(run.page.locator('#never').click(timeout=9000))",
        "Locator.click",
    ),
    "event": (
        "async with run.page.expect_popup(timeout=9000): pass",
        "an expected event",
    ),
    "own": ("await asyncio.sleep(9)", "the journey's own code"),
}


@pytest.mark.parametrize("name", WAITS)
async def test_what_was_waited_for(walker: Walker, origin: Origin, name: str) -> None:
    """At the attempt's own time-out the call that is pending is named, its line, and since when."""
    line, call = WAITS[name]
    walked = await walker.walk(
        f"""
        async with run.step("Wait"):
            await run.page.goto("/")
            await asyncio.sleep(0.5)
            {line}
        """,
        site(origin.url),
        timeout=4.0,
    )
    report = walked.report
    assert report.error_type is ErrorType.TIMEOUT
    first = report.error.partition("\n")[0]
    assert first.startswith(f"not done after 4 s in step 'Wait': in {call} for ")
    assert 0.3 < float(first.rpartition("for ")[2].removesuffix(" s")) < 3.6
    assert report.place is not None
    assert report.place.line == walked.order.journey.line + 5
    assert report.place.source == line


ENDED_IN = {
    "refused and waiting": (
        ErrorType.HTTP_STATUS,
        (
            "await run.page.goto('/nowhere')\n"
            "await expect(run.page.locator('h1')).to_be_visible(timeout=9000)  # here"
        ),
    ),
    "refused as its own call fails": (
        ErrorType.HTTP_STATUS,
        "await run.page.goto('/nowhere')\nawait run.page.click('#never', timeout=460)  # here",
    ),
    "refused by a click": (
        ErrorType.HTTP_STATUS,
        (
            "await run.page.goto('/')\n"
            "await run.page.evaluate('setTimeout(() => location.assign(\"/nowhere\"), 100)')\n"
            "await asyncio.sleep(9)  # here"
        ),
    ),
    "refused in a step": (
        ErrorType.HTTP_STATUS,
        "async with run.step('Open'):\n    await run.page.goto('/nowhere')  # here",
    ),
    "refused at the end": (ErrorType.HTTP_STATUS, "await run.page.goto('/nowhere')  # here"),
    "refused in its own task": (
        ErrorType.HTTP_STATUS,
        "await asyncio.gather(run.page.goto('/nowhere'), asyncio.sleep(9))  # here",
    ),
    "challenged": (
        ErrorType.CHALLENGED,
        (
            "await run.page.goto('/bot?status=403&name=cf-mitigated&value=challenge')\n"
            "await asyncio.sleep(9)  # here"
        ),
    ),
    "crashed": (ErrorType.PAGE_CRASH, "await run.page.goto('chrome://crash')  # here"),
    "crashed while waiting": (
        ErrorType.PAGE_CRASH,
        (
            "await run.page.goto('/')\n"
            "cdp = await run.context.new_cdp_session(run.page)\n"
            "waiting = asyncio.ensure_future(cdp.send('Page.crash'))\n"
            "await run.page.click('#never', timeout=9000)  # here"
        ),
    ),
    "browser died": (
        ErrorType.BROWSER_CRASH,
        (
            "import psutil\n"
            "await run.page.goto('/')\n"
            "for one in psutil.Process().children(recursive=True):\n"
            "    if 'node' not in one.name(): one.kill()\n"
            "await run.page.wait_for_selector('#never')  # here"
        ),
    ),
    "nothing measured": (ErrorType.SCRIPT_ERROR, "pass"),
}


@pytest.mark.parametrize("name", ENDED_IN)
async def test_the_line_it_ended_in(walker: Walker, origin: Origin, name: str) -> None:
    """Whatever ends a walk, the author's line is named at which it was; at the least the first."""
    error_type, source = ENDED_IN[name]
    walked = await walker.walk(source, site(origin.url))
    assert walked.report.error_type is error_type, walked.report.error
    assert walked.report.place is not None
    here = [line for line in source.splitlines() if line.endswith("# here")]
    declared = '@journey(site="shop", owner="tests")'
    assert walked.report.place.source == (here[0].strip() if here else declared)


ASSERTS = {
    "compared": ("assert 1 + 1 == 3", "2 == 3"),
    "held": ("assert 'a' in {'b': 1}, 'no a'", "no a\n'a' in {'b': 1}"),
    "awaited": ("assert await run.page.title() == 'Shop'", "'Home' == 'Shop'"),
    "not": ("assert not [1]", "not [1]"),
    "plain": ("assert await run.page.locator('p').count()", "0 is not true"),
    "secret": ("assert run.secret('PW') == 'x' * 5000", "'***' == 'xxxxx"),
}


@pytest.mark.parametrize("name", ASSERTS)
async def test_a_bare_assert(walker: Walker, origin: Origin, name: str) -> None:
    """An assert says which values it saw, and tells no secret."""
    line, says = ASSERTS[name]
    walked = await walker.walk(
        f"await run.page.goto('/')\n{line}", site(origin.url), secrets={"PW": "correct horse"}
    )
    assert walked.report.error_type is ErrorType.ASSERTION
    assert walked.report.error.startswith(says)
    assert len(walked.report.error) < 2500
    assert "correct" not in walked.report.error
    assert walked.report.place is not None
    assert walked.report.place.source == line


CHANGES = {
    "expect": "expect.set_options(timeout=123)",
    "path": "import sys; sys.path.insert(0, '/mine')",
    "filters": "import warnings; warnings.simplefilter('error')",
    "random": "import random; random.seed(1)",
    "socket": "import socket; socket.setdefaulttimeout(3)",
    "logging": "import logging; logging.basicConfig(level=10, force=True)",
    "locale": "import locale; locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
    "zone": "import os; os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()",
    "global": "import shared; shared.SEEN.append(1)",
}
LOOK = """
import locale, logging, os, random, socket, sys, warnings, shared
await run.page.goto("/")
run.log.info("state", state=repr([
    expect._timeout, sys.path, len(warnings.filters), socket.getdefaulttimeout(),
    logging.getLogger().level, len(logging.getLogger().handlers), locale.setlocale(locale.LC_ALL),
    time.tzname, shared.SEEN,
]))
"""


async def test_one_journey_changes_no_other(walker: Walker, origin: Origin) -> None:
    """Whatever a journey sets in its process, the next one in the same worker starts anew."""
    (walker.folder / "shared.py").write_text("SEEN = []\n")
    before = await walker.walk(LOOK, site(origin.url))
    for change in CHANGES.values():
        walked = await walker.walk(f"{change}\nawait run.page.goto('/')", site(origin.url))
        assert walked.report.error_type is None, walked.report.error
        after = await walker.walk(LOOK, site(origin.url))
        assert after.record.worker == before.record.worker
        assert state(after) == state(before), change
    at_import = "\n".join(CHANGES.values())
    await walker.walk(
        "pass", site(origin.url), decorator=f'{at_import}\n\n\n@journey(site="shop", owner="x")'
    )
    after = await walker.walk(LOOK, site(origin.url))
    assert after.record.worker == before.record.worker
    assert state(after) == state(before), "at import"


def state(walked: Walked) -> object:
    return next(fields["state"] for _, event, fields in walked.heard.logs if event == "state")


MORE_CONTEXTS = {
    "of the run": "async with run.new_context(locale='de-DE') as context:\n"
    "    page = await context.new_page()\n",
    "of the browser": "if True:\n"
    "    context = await run.context.browser.new_context(locale='de-DE')\n"
    "    page = await context.new_page()\n",
    "of a page": "if True:\n"
    "    page = await run.context.browser.new_page(locale='de-DE')\n"
    "    context = page.context\n",
    "second tab": "if True:\n    context = run.context\n    page = await context.new_page()\n",
}


@pytest.mark.parametrize("name", MORE_CONTEXTS)
async def test_more_contexts(walker: Walker, origin: Origin, name: str) -> None:
    """A second context, however it was opened, is like the first: address, identity, spans."""
    origin.seen.clear()
    walked = await walker.walk(
        MORE_CONTEXTS[name] + "    await page.goto('/')\n"
        "    await context.request.get('/')\n"
        "    await expect(page.locator('h1')).to_have_text('Home')\n"
        "    run.log.info('language', it=await page.evaluate('navigator.language'))",
        site(origin.url),
    )
    assert walked.report.error_type is None, walked.report.error
    assert len(origin.asked("/")) == len(walked.requests) == 2
    for asked in origin.asked("/"):
        assert asked.headers["x-synthetic-journey"] == "walked"
        assert "FootfallSynthetics" in asked.headers["user-agent"]
        assert asked.headers["cookie"] == "synthetic=1"
    (origin_report,) = walked.report.audit.contacts
    assert (origin_report.requests, origin_report.tagged) == (2, 2)
    spoken = next(fields["it"] for _, event, fields in walked.heard.logs if event == "language")
    assert spoken.startswith("en" if name == "second tab" else "de")


@pytest.mark.parametrize("name", MORE_CONTEXTS)
async def test_more_contexts_are_judged(walker: Walker, origin: Origin, name: str) -> None:
    """A page of a second context that answers an error, or fails, is seen as the first one's."""
    refused = await walker.walk(
        MORE_CONTEXTS[name] + "    await page.goto('/nowhere')", site(origin.url)
    )
    assert refused.report.error_type is ErrorType.HTTP_STATUS, refused.report.error
    failed = await walker.walk(
        MORE_CONTEXTS[name] + "    await page.goto('/calls?status=200&name=x&value=y')\n"
        "    await page.click('#never', timeout=300)",
        site(origin.url),
    )
    assert failed.report.error_type is ErrorType.TIMEOUT
    assert '"url": "' + origin.url + "/calls" in (failed.scratch / "failure.json").read_text()
    assert "screenshot.png" in failed.report.evidence


HANDLERS = {
    "route": "await run.page.route('**/*', broken)\nawait run.page.goto('/', timeout=700)",
    "route of the attempt": "await run.page.route('**/*', broken)\nawait run.page.goto('/')",
    "dialog": "await run.page.goto('/')\nrun.page.on('dialog', broken)\n"
    "await run.page.evaluate(\"document.querySelector('button').onclick = () => alert(1)\")\n"
    "await run.page.click('button', timeout=700)",
}


@pytest.mark.parametrize("name", HANDLERS)
async def test_a_handler_of_the_journeys_that_breaks(
    walker: Walker, origin: Origin, name: str
) -> None:
    """A route or dialog that the journey's own code left unanswered is no outage of the site's."""
    body = "def broken(_):\n    raise KeyError('mine')\n" + HANDLERS[name]
    walked = await walker.walk(body, site(origin.url), timeout=3.0)
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert walked.report.error == "KeyError: 'mine'"
    after = await walker.walk("await run.page.goto('/')", site(origin.url))
    assert after.report.error_type is None, after.report.error
