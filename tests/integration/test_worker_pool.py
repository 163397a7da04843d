"""Workers are kept while they are good, replaced when they are due, and never shared."""

from __future__ import annotations

import asyncio
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from agent.core.errors import ErrorType
from agent.pool.stops import Stop
from tests.support.daemon import until
from tests.support.origin import Origin
from tests.support.processes import command_line
from tests.support.walking import Heard, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

GOOD = 'await run.page.goto("/")'


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": "<title>Home</title>"}) as serving:
        yield serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "journeys"
    place.mkdir()
    return place


async def test_kept(folder: Path, origin: Origin) -> None:
    """A worker walks again and again, each time in a browser of its own."""
    source = """
    await run.page.goto("/")
    assert await run.page.evaluate("localStorage.length") == 0
    await run.page.evaluate("localStorage.setItem('a', 'b'); document.cookie = 'mine=1'")
    """
    async with Walker(folder) as walker:
        walks = [await walker.walk(source, site(origin.url)) for _ in range(3)]
        assert [walked.report.error_type for walked in walks] == [None] * 3
        assert {walked.record.worker for walked in walks} == {1}
        assert walker.restarts == []
        assert walker.pool.states() == {"idle": 0, "busy": 1, "starting": 0} or (
            walker.pool.states() == {"idle": 1, "busy": 0, "starting": 0}
        )
    assert "mine=1" not in "".join(asked.headers.get("cookie", "") for asked in origin.seen)


async def test_the_driver_holds_little_between_walks(folder: Path, origin: Origin) -> None:
    """The driver, and no browser, is told to keep little memory for what is young."""
    async with Walker(folder) as walker:
        heard, stop = Heard(), Stop("walked")
        source = (
            "import asyncio\n"
            + GOOD
            + "\nasync with run.step('Stay'):\n    await asyncio.sleep(30)"
        )
        order = walker.order(source, site(origin.url))
        walking = asyncio.create_task(walker.follow(order, heard, stop=stop))
        await asyncio.wait_for(heard.stepped.wait(), 60)
        lines = [command_line(process) for process in walker.processes()]
        stop.ask("seen enough")
        await walking
    assert any("--headless" in line for line in lines)
    told = [line for line in lines if "--max-semi-space-size=" in line]
    assert ["run-driver" in line for line in told] == [True]


async def test_recycled_after_runs(folder: Path, origin: Origin) -> None:
    """A worker is replaced after so many runs."""
    async with Walker(folder, max_runs=2) as walker:
        walks = [await walker.walk(GOOD, site(origin.url)) for _ in range(3)]
        assert [walked.record.worker for walked in walks] == [1, 1, 2]
        assert walker.restarts == ["max_runs"]


async def test_recycled_for_its_age(folder: Path, origin: Origin) -> None:
    """A worker is replaced when it is old, and serves on until the other has come."""
    async with Walker(folder, max_age=0.1) as walker:
        numbers = [1]
        while numbers[-1] == 1 and len(numbers) < 30:
            walked = await walker.walk(GOOD, site(origin.url))
            numbers.append(walked.record.worker)
        assert numbers[:2] == [1, 1]
        assert numbers[-1] == 2
        assert walker.restarts[:1] == ["max_age"]


@pytest.mark.parametrize("count", [1, 2])
async def test_another_worker(folder: Path, origin: Origin, count: int) -> None:
    """A confirming attempt gets another worker, a fresh one where there is no other."""
    async with Walker(folder, count=count) as walker:
        first = await walker.walk(GOOD, site(origin.url))
        order = walker.order(GOOD, site(origin.url))
        second = await walker.follow(order, Heard(), avoid=first.record.worker)
        assert second.record.worker != first.record.worker
        assert second.report.error_type is None


async def test_side_by_side(folder: Path, origin: Origin) -> None:
    """As many walks as there are workers go on at once, and one more waits for its turn."""
    source = GOOD + "\nasync with run.step('Stay'):\n    await asyncio.sleep(0.5)"
    async with Walker(folder, count=2) as walker:
        walks = await asyncio.gather(*(walker.walk(source, site(origin.url)) for _ in range(3)))
        assert [walked.report.error_type for walked in walks] == [None] * 3
        assert {walked.record.worker for walked in walks} == {1, 2}
        early, late = sorted(walks, key=lambda walked: walked.record.started_at)[1:]
        assert late.record.started_at >= min(
            early.record.ended_at, *(walked.record.ended_at for walked in walks)
        )


async def test_other_settings(folder: Path, origin: Origin, tmp_path: Path) -> None:
    """New settings take new workers; a walk that goes on ends as it began."""
    async with Walker(folder) as walker:
        heard = Heard()
        source = GOOD + "\nasync with run.step('Stay'):\n    await asyncio.sleep(1)"
        walking = asyncio.create_task(walker.follow(walker.order(source, site(origin.url)), heard))
        await asyncio.wait_for(heard.stepped.wait(), 60)
        walker.pool.replace_spawn(replace(walker.spawn))
        assert (await walking).report.error_type is None
        walked = await walker.walk(GOOD, site(origin.url))
        assert walked.report.error_type is None
        assert walked.record.worker > 1


async def test_nothing_temporary_stays(folder: Path, origin: Origin) -> None:
    """A worker's temporary files, its browser's profile among them, go when it is killed."""
    source = """
    import asyncio
    async with run.step("Stay"):
        await asyncio.sleep(30)
    """
    async with Walker(folder) as walker:
        heard = Heard()
        walking = asyncio.create_task(walker.follow(walker.order(source, site(origin.url)), heard))
        await asyncio.wait_for(heard.stepped.wait(), 60)
        scratch = walker.spawn.scratch
        (killed,) = scratch.glob("worker-*")
        assert list(killed.glob("*profile*"))
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        await until(lambda: not killed.exists())
    assert list(scratch.iterdir()) == []


LEFT = """
import subprocess, sys
await run.page.goto("/")
sleep = "import time; time.sleep(60)"
again = "import os, sys; os.setsid(); os.fork() or os.execl(sys.executable, 'p', '-c', sys.argv[1])"
subprocess.Popen([sys.executable, "-c", sleep])
subprocess.Popen([sys.executable, "-c", again, sleep], env={}).wait()
"""


async def test_a_journeys_children_end_with_its_walk(folder: Path, origin: Origin) -> None:
    """What a journey started and left is killed after the walk, also in a session of its own,
    without a parent and without its environment; the worker, driver and next browser stay."""
    async with Walker(folder) as walker:
        before = await walker.walk(GOOD, site(origin.url))
        (worker,) = walker.workers
        walked = await walker.walk(LEFT, site(origin.url))
        assert (before.report.error_type, walked.report.error_type) == (None, None)
        mine = psutil.Process()

        def strays() -> list[psutil.Process]:
            below = mine.children(recursive=True)
            return [
                one for one in below if one.is_running() and "time.sleep(60)" in command_line(one)
            ]

        await until(lambda: not strays(), otherwise=lambda: str(strays()))
        again = await walker.walk(GOOD, site(origin.url))
        assert again.report.error_type is None
        assert again.record.worker == worker.number
        assert walker.restarts == []


async def test_a_browser_of_the_journeys_own_ends_with_its_walk(
    folder: Path, origin: Origin
) -> None:
    """A second browser that a journey launched by itself does not live on."""
    source = """
    await run.page.goto("/")
    await run.context.browser.browser_type.launch(
        executable_path=run.params["executable"], args=["--no-sandbox", "--window-name=stray"]
    )
    """
    async with Walker(folder) as walker:
        executable = walker.spawn.configure.executable
        walked = await walker.walk(source, site(origin.url), params={"executable": executable})
        assert walked.report.error_type is None, walked.report.error

        def strays() -> list[psutil.Process]:
            below = psutil.Process().children(recursive=True)
            return [one for one in below if "--window-name=stray" in command_line(one)]

        await until(lambda: not strays(), otherwise=lambda: str(strays()))
        assert (await walker.walk(GOOD, site(origin.url))).report.error_type is None


async def test_aborted(folder: Path, origin: Origin) -> None:
    """A walk that the agent breaks off keeps the steps and spans that were over, and no other
    walk begins."""
    source = """
    async with run.step("Open"):
        await run.page.goto("/")
    async with run.step("Stay"):
        await asyncio.sleep(30)
    """
    async with Walker(folder) as walker:
        heard = Heard()
        order = walker.order("import asyncio\n" + textwrap.dedent(source), site(origin.url))
        walking = asyncio.create_task(walker.follow(order, heard))
        await until(lambda: ("Stay", 0) in heard.started)
        await walker.pool.abort("the agent was stopped under the run")
        record = (await walking).record
        assert (record.death, record.last) == (ErrorType.WORKER_LOST, True)
        assert [step.name for step in record.steps] == ["Open", "Stay"]
        assert record.spans
        late = (await walker.follow(walker.order(GOOD, site(origin.url)), Heard())).record
        assert (late.worker, late.death, late.last) == (0, ErrorType.WORKER_LOST, True)


async def test_who_stops_a_walk_gets_a_fresh_worker(folder: Path, origin: Origin) -> None:
    """A walk that a person stops is over at once and not measured, and the next one is walked in
    another worker; the first is gone, with all that hung below it."""
    async with Walker(folder) as walker:
        heard, stop = Heard(), Stop("walked")
        source = GOOD + "\nasync with run.step('Stay'):\n    await asyncio.sleep(30)"
        order = walker.order(source, site(origin.url))
        walking = asyncio.create_task(walker.follow(order, heard, stop=stop))
        await asyncio.wait_for(heard.stepped.wait(), 60)
        stop.ask("stopped by anna: so")
        async with asyncio.timeout(60):
            record = (await walking).record
        assert (record.death, record.detail) == (ErrorType.STOPPED, "stopped by anna: so")
        assert record.last
        again = await walker.walk(GOOD, site(origin.url))
        assert again.report.error_type is None
        assert again.record.worker != record.worker
        await walker.pool.stop()
        assert not walker.processes()


async def test_who_is_stopped_before_it_has_a_worker_takes_none(
    folder: Path, origin: Origin
) -> None:
    """One that waits for a worker is over once it is woken, and leaves the worker to others."""
    async with Walker(folder) as walker:
        busy = asyncio.create_task(walker.walk(GOOD + "\nawait asyncio.sleep(3)", site(origin.url)))
        stop = Stop("walked")
        order = walker.order(GOOD, site(origin.url))
        waiting = asyncio.create_task(walker.follow(order, Heard(), stop=stop))
        await asyncio.sleep(0.1)
        stop.ask("so")
        await walker.pool.wake()
        record = (await waiting).record
        assert (record.death, record.worker, record.last) == (ErrorType.STOPPED, 0, True)
        assert not busy.done()
        assert (await busy).report.error_type is None
