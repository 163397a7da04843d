"""A journey without a browser is walked, judged, told and marked as any other."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from agent.pool.pool import Pool
from agent.pool.recycling import PoolOptions
from agent.pool.stops import Stop
from agent.pool.walk_listener import Answers
from agent.protocol.messages import SignatureReply
from tests.support.origin import Origin
from tests.support.processes import command_line
from tests.support.service import free_port
from tests.support.walking import HEADER, Heard, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walked

pytestmark = pytest.mark.asyncio(loop_scope="module")

DECORATOR = '@journey(site="shop", owner="tests", browser=False)'


async def _stock(_: web.Request) -> web.Response:
    return web.json_response({"stock": 3})


async def _broken(_: web.Request) -> web.Response:
    return web.Response(status=500, text="no")


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response(text="late")


async def _cookie(_: web.Request) -> web.Response:
    answer = web.Response(text="here")
    answer.set_cookie("basket", "1")
    return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    pages = {"/stock": _stock, "/broken": _broken, "/slow": _slow, "/cookie": _cookie}
    async with Origin(pages=pages) as serving:
        yield serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walker]:
    """Workers that have no browser."""
    folder = tmp_path_factory.mktemp("calls") / "journeys"
    folder.mkdir()
    async with Walker(folder, executable="/nowhere/chromium", browser=False) as ready:
        yield ready


async def walk(caller: Walker, body: str, url: str, **options: Any) -> Walked:
    """Walk a journey without a browser."""
    given = {"browser": False, "decorator": DECORATOR, "timeout": 10.0, **options}
    return await caller.walk(body, site(url), **given)


async def test_pass(caller: Walker, origin: Origin) -> None:
    """It passes with its steps and client spans, carries the whole identity, and starts nothing."""
    origin.seen.clear()
    walked = await walk(
        caller,
        """
        async with run.step("Ask for the stock"):
            answer = await run.api.get("/stock")
            await expect(answer).to_be_ok()
            assert (await answer.json())["stock"] == 3
        """,
        origin.url,
        context={"extra_http_headers": {"accept-language": "de"}},
        record_trace=True,
    )
    assert (walked.report.error_type, walked.report.error) == (None, "")
    assert walked.steps == {"Ask for the stock": "pass"}
    (span,), (asked,) = walked.requests, origin.seen
    assert asked.headers["traceparent"] == f"00-{walked.order.trace_id}-{span.span_id}-01"
    assert span.parent_id == walked.record.spans[-1].span_id
    assert asked.headers[HEADER.lower()] == "walked"
    assert "synthetic_request=true" in asked.headers["baggage"]
    assert asked.headers["user-agent"].startswith("FootfallSynthetics/")
    assert asked.headers["cookie"] == "synthetic=1"
    assert asked.headers["accept-language"] == "de"
    assert walked.report.requests == {"first ok": 1}
    assert list(walked.scratch.iterdir()) == []
    words = " ".join(command_line(process) for process in caller.processes())
    assert "chrom" not in words


@pytest.mark.parametrize(
    ("body", "word", "says"),
    [
        ('await expect(await run.api.get("/broken")).to_be_ok()', ErrorType.ASSERTION, "500"),
        ('await run.api.get("/slow", timeout=200)', ErrorType.TIMEOUT, "200ms"),
        ('await run.api.get("/slow")', ErrorType.TIMEOUT, "Timeout 1600ms"),
        ("await run.page.goto('/')", ErrorType.SCRIPT_ERROR, "run.page needs a browser"),
        ("await expect(run.page).to_have_title('x')", ErrorType.SCRIPT_ERROR, "browser=False"),
        ("await run.context.cookies()", ErrorType.SCRIPT_ERROR, "run.context needs a browser"),
        (
            "async with run.new_context(locale='de'): pass",
            ErrorType.SCRIPT_ERROR,
            "run.new_context needs a browser",
        ),
        ("pass", ErrorType.SCRIPT_ERROR, "measured nothing"),
        ("await run.api.dispose(); await run.api.get('/stock')", ErrorType.SCRIPT_ERROR, "closed"),
    ],
)
async def test_what_it_fails_on(caller: Walker, origin: Origin, body, word, says) -> None:
    """The table of errors holds, with the author's line, and the facts without any picture."""
    walked = await walk(caller, body, origin.url, timeout=2.0)
    assert walked.report.error_type is word, walked.report.error
    assert says in walked.report.error
    assert walked.report.canary is None
    assert walked.report.place is not None
    assert walked.report.evidence == ("failure.json",)
    facts = json.loads((walked.scratch / "failure.json").read_text())
    assert (facts["error_type"], facts["missing"]) == (word.value, [])


async def test_blame(caller: Walker, origin: Origin) -> None:
    """Nobody at the address is told as unreachable; a canary that is away is told beside it."""
    body = "await run.api.get('/stock')"
    gone = await walk(caller, body, f"http://127.0.0.1:{free_port()}")
    assert (gone.report.error_type, gone.report.unreachable) == (ErrorType.NAVIGATION, True)
    assert gone.report.canary is None
    order = caller.order(
        "assert not await run.api.get('/stock')",
        site(origin.url),
        browser=False,
        decorator=DECORATOR,
    )
    lost = await caller.follow(
        replace(order, canary_url=f"http://127.0.0.1:{free_port()}/"), Heard()
    )
    assert lost.report.error_type is ErrorType.ASSERTION
    assert lost.report.canary.startswith("the agent's own page did not answer")


async def test_a_walk_leaves_nothing_to_the_next(caller: Walker, origin: Origin) -> None:
    """Cookies of one walk are not the next one's, and one worker walks again and again."""
    numbers = set()
    for _ in range(3):
        walked = await walk(caller, "await run.api.get('/cookie')", origin.url)
        assert walked.report.error_type is None
        numbers.add(walked.record.worker)
    assert len(numbers) == 1
    assert [one.headers["cookie"] for one in origin.asked("/cookie")] == ["synthetic=1"] * 3


async def test_a_signed_call(caller: Walker, origin: Origin) -> None:
    """Where the agent has a key, a call carries the signature for its authority."""
    order = caller.order(
        "await run.api.get('/stock')", site(origin.url), browser=False, decorator=DECORATOR
    )

    def sign(authority: str) -> SignatureReply:
        return SignatureReply(authority, {"Signature": "sig1=:YQ==:"}, 4_000_000_000)

    walked = await caller.follow(replace(order, signatures=[]), Heard(sign=sign))
    assert walked.report.error_type is None, walked.report.error
    assert origin.asked("/stock")[-1].headers["signature"] == "sig1=:YQ==:"


async def test_workers_come_when_they_are_wanted(caller: Walker, origin: Origin) -> None:
    """None at first, as many as walk at once up to the bound, and another for who confirms."""
    restarts: list[str] = []
    pool = Pool(
        PoolOptions(2, 50, 3600.0, 1 << 30, adopt_orphans=False, on_demand=True),
        caller.spawn,
        restarts.append,
    )
    await pool.start()
    try:
        assert set(pool.states().values()) == {0}

        async def walk(avoid: int | None = None) -> int:
            order = caller.order(
                "await run.api.get('/stock')", site(origin.url), browser=False, decorator=DECORATOR
            )
            answers = Answers(Heard().secret)
            record = await pool.walk(order, Heard(), answers, Stop("walked"), avoid)
            assert record.report is not None
            assert record.report.error_type is None
            return record.worker

        first = await walk()
        assert await walk(avoid=first) != first
        assert restarts == []
        assert len({*await asyncio.gather(walk(), walk(), walk())}) <= 2
        assert sum(pool.states().values()) == 2
    finally:
        await pool.stop()
