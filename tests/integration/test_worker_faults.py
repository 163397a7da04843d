"""Whatever a journey, a browser, a driver or a worker does: the walk ends, and nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest
import pytest_asyncio

from agent.core.errors import ErrorType
from agent.pool.process_tree import kill_leftovers
from tests.support.origin import Origin
from tests.support.walking import Heard, Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLING = """
async with run.step("Call"):
    await run.page.goto("/")
    await run.page.wait_for_selector("#never", timeout=20_000)
"""
WAITING = """
await run.page.goto("/")
async with run.step("Wait"):
    await asyncio.sleep(30)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": "<title>Home</title><h1>Home</h1>"}) as serving:
        yield serving


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _recovers(walker: Walker, origin: Origin) -> AsyncIterator[None]:
    """After each fault the next walk passes, and what the fault left is gone."""
    before = set(walker.processes())
    yield
    after = await walker.walk('await run.page.goto("/")', site(origin.url))
    assert after.record.report, after.record
    assert after.report.error_type is None
    kept = {process.pid for worker in walker.workers for process in _below(worker.pid)}
    left = {process for process in before if process.pid not in kept}
    await gone(lambda: [process for process in left if process.is_running()])


def _below(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


async def gone(left: Callable[[], list[psutil.Process]], within: float = 20.0) -> None:
    until = time.monotonic() + within
    while (still := left()) and time.monotonic() < until:  # noqa: ASYNC110 - processes
        await asyncio.sleep(0.05)
    assert not still


async def under(
    walker: Walker,
    origin: Origin,
    act: Callable[[psutil.Process], None],
    journey: str = WAITING,
    **options: object,
) -> tuple[Walked, list[psutil.Process]]:
    """Do something to the worker's tree while a journey waits in its first step."""
    heard = Heard()
    order = walker.order(journey, site(origin.url), **options)
    walking = asyncio.create_task(walker.follow(order, heard))
    await asyncio.wait_for(heard.stepped.wait(), 60)
    (worker,) = walker.pool._busy
    tree = _below(worker.pid)
    act(tree[0])
    return await asyncio.wait_for(walking, 60), tree


def driver_of(worker: psutil.Process) -> psutil.Process:
    return next(p for p in worker.children() if "run-driver" in p.cmdline())


def browser_of(worker: psutil.Process) -> psutil.Process:
    return next(
        p
        for p in driver_of(worker).children(recursive=True)
        if not any(word.startswith("--type=") for word in p.cmdline())
    )


async def test_worker_killed(walker: Walker, origin: Origin) -> None:
    """A worker that dies is worker_lost; its open step failed, and its tree goes with it."""
    walked, tree = await under(walker, origin, lambda worker: worker.kill())
    assert walked.record.report is None
    assert walked.record.death is ErrorType.WORKER_LOST
    assert walked.steps == {"Wait": "fail"}
    assert [span.attributes["url.full"] for span in walked.requests] == [f"{origin.url}/"]
    await gone(lambda: [process for process in tree if process.is_running()])


async def test_browser_killed(walker: Walker, origin: Origin) -> None:
    """A browser that dies under the run is browser_crash, told at once."""
    walked, _ = await under(walker, origin, lambda worker: browser_of(worker).kill())
    assert walked.report.error_type is ErrorType.BROWSER_CRASH
    assert walked.report.duration < 20, "it waits for thirty"


@pytest.mark.parametrize("deed", [signal.SIGKILL, signal.SIGSTOP])
async def test_driver(walker: Walker, origin: Origin, deed: signal.Signals) -> None:
    """A driver that dies or hangs: a bounded end, the agent's trouble, and a new worker."""
    runs = len(walker.restarts)
    began = time.monotonic()
    walked, tree = await under(
        walker, origin, lambda worker: driver_of(worker).send_signal(deed), timeout=4.0, grace=1.0
    )
    assert time.monotonic() - began < 20, "it waits for thirty"
    record = walked.record
    assert (
        record.death is ErrorType.WORKER_KILLED
        or walked.report.canary is not None
        or walked.report.error_type is ErrorType.BROWSER_CRASH
    )
    await gone(lambda: [process for process in tree if process.is_running()])
    assert len(walker.restarts) == runs + 1


async def test_driver_killed_under_a_call(walker: Walker, origin: Origin) -> None:
    """What a call raises when its driver dies is the agent's trouble, no defect of the journey."""
    walked, _ = await under(
        walker, origin, lambda worker: driver_of(worker).kill(), CALLING, timeout=5
    )
    assert walked.report.error_type is ErrorType.BROWSER_CRASH


async def test_stopped_browser(walker: Walker, origin: Origin) -> None:
    """A browser that hangs: a bounded end, the canary tells whose trouble it is, none left."""
    walked, tree = await under(
        walker, origin, lambda worker: browser_of(worker).suspend(), timeout=4.0, grace=1.0
    )
    assert walked.record.death is ErrorType.WORKER_KILLED or walked.report.canary is not None
    await gone(lambda: [process for process in tree if process.is_running()])


async def test_blocked_loop(walker: Walker, origin: Origin) -> None:
    """A journey that blocks the loop past the deadline is killed, and its line is named."""
    walked = await walker.walk(
        """
        async with run.step("Block"):
            time.sleep(30)
        """,
        site(origin.url),
        timeout=1.0,
        grace=1.0,
    )
    record = walked.record
    assert record.report is None
    assert record.death is ErrorType.WORKER_KILLED
    assert record.blocked_at == f"{walked.order.journey.file}:{walked.order.journey.line + 3}"
    assert record.ended_at - record.started_at < 20
    assert walked.steps == {"Block": "fail"}


async def test_import_that_hangs(
    walker: Walker, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose import hangs when it is walked is named, and no browser is blamed."""
    monkeypatch.setattr("agent.pool.dialogue._LAUNCH_BUDGET", 2.0)
    walked = await walker.walk(
        "pass",
        site(origin.url),
        decorator='time.sleep(60)\n\n\n@journey(site="shop", owner="tests")',
    )
    assert walked.record.death is ErrorType.WORKER_KILLED
    assert (
        walked.record.blocked_at == f"{walked.order.journey.file}:{walked.order.journey.line - 3}"
    )


async def test_a_standstill_that_passed_kills_nobody_later(walker: Walker, origin: Origin) -> None:
    """A journey that blocked for a moment is not blamed for a worker that hangs afterwards."""
    walked = await walker.walk(
        """
        import os, signal
        time.sleep(0.8)
        await asyncio.sleep(1)
        os.kill(os.getpid(), signal.SIGSTOP)
        """,
        site(origin.url),
        timeout=5.0,
        grace=1.0,
    )
    assert walked.record.death is ErrorType.WORKER_KILLED
    assert walked.record.blocked_at == ""


async def test_loop_blocked_for_a_while(walker: Walker, origin: Origin) -> None:
    """A journey that blocks the loop but comes back is told by its line and for how long."""
    walked = await walker.walk("time.sleep(1.2)", site(origin.url))
    assert 1.0 < walked.report.lag < 5.0
    assert (
        walked.report.blocked_at == f"{walked.order.journey.file}:{walked.order.journey.line + 2}"
    )


async def test_spinning(walker: Walker, origin: Origin) -> None:
    """A journey that never gives way and can't be interrupted is killed all the same."""
    walked = await walker.walk(
        """
        while True:
            try:
                time.sleep(0.1)
            except BaseException:
                pass
        """,
        site(origin.url),
        timeout=0.5,
        grace=0.5,
    )
    assert walked.record.death is ErrorType.WORKER_KILLED


async def test_swallowed_cancellation(walker: Walker, origin: Origin) -> None:
    """A journey that outlives its deadline is reported, and its worker replaced."""
    restarts = len(walker.restarts)
    walked = await walker.walk(
        """
        while True:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                pass
        """,
        site(origin.url),
        timeout=0.5,
    )
    assert walked.report.error_type is ErrorType.TIMEOUT
    await asyncio.wait_for(_until(lambda: walker.restarts[restarts:] == ["unfit"]), 60)


async def test_exit(walker: Walker, origin: Origin) -> None:
    """A journey that ends the process costs its own run."""
    walked = await walker.walk("import os; os._exit(0)", site(origin.url))
    assert walked.record.death is ErrorType.WORKER_LOST


SAYS = {
    "garbage": 'b"\\xff" * 100',
    "evidence": """said(
        {"kind": "walked", "report": {"started_at": 1, "duration": 1, "error_type": "assertion",
         "evidence": ["../outside.txt"]}})""",
    "questions": 'said({"kind": "secret_wanted", "name": "PW"}) * 15_000',
    "a long message": "(64 << 20).to_bytes(4, 'big') + b'x' * 1000",
}


@pytest.mark.parametrize("says", SAYS)
async def test_a_broken_protocol(walker: Walker, origin: Origin, says: str) -> None:
    """Journey code that writes into the pipe costs its own run, and no file elsewhere."""
    outside = walker.folder.parent / "outside.txt"
    outside.write_text("stays")
    walked = await walker.walk(
        f"""
        import json, os, sys, threading

        def said(message):
            body = json.dumps(message).encode()
            return len(body).to_bytes(4, "big") + body

        told = {SAYS[says]}
        threading.Thread(target=os.write, args=(int(sys.argv[1]), told), daemon=True).start()
        await asyncio.sleep(5)
        """,
        site(origin.url),
        timeout=3.0,
        secrets={"PW": "x" * 20_000},
    )
    assert walked.record.death is ErrorType.WORKER_LOST
    assert "broke the protocol" in walked.record.detail
    assert outside.read_text() == "stays"


async def test_vanished_file(walker: Walker, origin: Origin) -> None:
    """A journey that is no longer there is a script error, not a lost worker."""
    order = walker.order("pass", site(origin.url))
    (walker.folder / order.journey.file).unlink()
    walked = await walker.follow(order, Heard())
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert order.journey.file in walked.report.error


@pytest.mark.parametrize(
    "context", [{"device": "iFone"}, {"viewprt": {}}, {"viewport": "large"}], ids=str
)
async def test_wrong_context(walker: Walker, origin: Origin, context: dict[str, object]) -> None:
    """An option that the browser doesn't know is the journey's fault, and named."""
    restarts = len(walker.restarts)
    walked = await walker.walk("pass", site(origin.url), context=context)
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert "context" in walked.report.error
    assert next(iter(context)) in walked.report.error
    assert walker.restarts[restarts:] == []


async def test_wrong_credentials(walker: Walker, origin: Origin) -> None:
    """What is in an option may be a password: it is named, and not repeated."""
    context = {"http_credentials": "hush-hush"}
    walked = await walker.walk("pass", site(origin.url), context=context)
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert "http_credentials" in walked.report.error
    assert "hush" not in walked.report.error


async def test_printing_is_bounded(walker: Walker, origin: Origin) -> None:
    """What a journey prints goes to who follows the walk, but no more of it than a bound."""
    before = len(walker.output)
    walked = await walker.walk(
        "print('hello')\nfor _ in range(5000): print('x' * 999)", site(origin.url)
    )
    printed = walked.heard.lines
    assert printed[0] == "hello"
    assert walker.output[before:] == []
    assert 32_000 < sum(len(line) + 1 for line in printed) <= 66_000


async def test_printed_secrets(walker: Walker, origin: Origin) -> None:
    """A worker's printing holds no secret that it was ever told, in later walks neither."""
    given = {"PW": "correct horse"}
    source = "print('said ' + run.secret('PW'))\nawait run.page.goto('/')"
    first = await walker.walk(source, site(origin.url), secrets=given)
    later = "print('correct horse')\nawait run.page.goto('/')"
    second = await walker.walk(later, site(origin.url))
    assert first.record.worker == second.record.worker
    assert (first.heard.lines, second.heard.lines) == (["said ***"], ["***"])


ENDS = {
    "killed": (ErrorType.WORKER_LOST, "os.kill(os.getpid(), 9)"),
    "stopped": (ErrorType.WORKER_KILLED, "os.kill(os.getpid(), 19)"),
    "spinning": (ErrorType.WORKER_KILLED, "while True: pass"),
    "writing": (ErrorType.WORKER_LOST, "os.write(self._link._sock.fileno(), b'x' * 1000)"),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_under_the_evidence(walker: Walker, origin: Origin, end: str) -> None:
    """Whatever becomes of a worker once the outcome is known: what the target did stands."""
    death, does = ENDS[end]
    walked = await walker.walk(
        f"""
        import os
        from agent.worker.follow_up import FollowUp

        async def save(self, *_):
            {does}

        FollowUp.save = save
        await run.page.goto("/")
        async with run.step("Look"):
            await expect(run.page.locator("h1")).to_have_text("Shop", timeout=100)
        """,
        site(origin.url),
        timeout=4.0,
        grace=1.0,
    )
    assert walked.record.death is death
    assert walked.report.error_type is ErrorType.ASSERTION
    assert walked.report.evidence == ()
    assert walked.steps == {"Look": "fail"}


async def test_out_of_memory(tmp_path: Path, origin: Origin) -> None:
    """A run whose processes pass the bound is out_of_memory, while they still live."""
    folder = tmp_path / "journeys"
    folder.mkdir()
    async with Walker(folder, max_memory=700 << 20) as walker:
        walked = await walker.walk(
            """
            held = []
            while True:
                held.append(b"x" * (20 << 20))
                await asyncio.sleep(0.02)
            """,
            site(origin.url),
        )
        assert walked.record.death is ErrorType.OUT_OF_MEMORY
        assert "MiB" in walked.record.detail


async def test_no_browser(tmp_path: Path, origin: Origin) -> None:
    """Without a browser that starts, the walk is browser_launch and the pool says why."""
    folder = tmp_path / "journeys"
    folder.mkdir()
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o755)
    async with Walker(folder, executable=str(broken)) as walker:
        walked = await walker.walk("pass", site(origin.url))
        assert walked.report.error_type is ErrorType.BROWSER_LAUNCH
        assert str(broken) in walked.report.error
        assert str(broken) in walker.pool.trouble


async def test_nothing_left_after_a_stop(tmp_path: Path, origin: Origin) -> None:
    """A pool that stops under a walk leaves no process, no zombie."""
    folder = tmp_path / "journeys"
    folder.mkdir()
    walker = Walker(folder, count=2)
    async with walker:
        heard = Heard()
        walking = asyncio.create_task(walker.follow(walker.order(WAITING, site(origin.url)), heard))
        await asyncio.wait_for(heard.stepped.wait(), 60)
        tree = walker.processes()
        assert len(tree) > 4
        walking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await walking
    assert walker.processes() == []
    assert [process for process in tree if process.is_running()] == []


async def test_leftovers(tmp_path: Path, origin: Origin) -> None:
    """What a killed agent left is found by its id and killed by the next."""
    folder = tmp_path / "journeys"
    folder.mkdir()
    async with Walker(folder) as walker:
        await walker.walk('await run.page.goto("/")', site(origin.url))
        await _until(lambda: walker.pool.states()["idle"] == 1)
        assert len(walker.processes()) >= 2  # the worker, its driver, the next browser
        assert kill_leftovers("another") == 0
        assert len(walker.processes()) >= 2
        assert kill_leftovers(walker.agent_id) >= 2
        assert walker.processes() == []


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - the pool tells nobody
        await asyncio.sleep(0.02)
