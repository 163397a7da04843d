"""What several replicas of a location can walk, and what it costs them.

``python -m tests.bench.replicas [PART…]``: each part takes a minute or two, and stands alone. The
walks are replaced by a wait, so that the engine is measured and no browser: schedule, queue, NATS
server, books and telemetry are the real ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from rich.table import Table

from agent.core.model import Cadence
from agent.schedule.plan import Plan
from tests.support.daemon import LOCATION, until
from tests.support.nats_server import NatsServer
from tests.support.replicas import Replicated
from tests.support.service import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from tests.support.daemon import Home

WALK = 0.01
"""Seconds that a walk takes."""
SECONDS = 8.0
"""For how long slots are counted."""
SETTLES = 4.0
RATES = (25.0, 50.0, 100.0, 150.0, 200.0)
GROWTH_RATE = 5.0
LATE_AT_MOST = 1.0
JOURNEYS = 400
_STARTS = 60.0
_TOLD = 30.0
Slot = tuple[str, int]
"""A journey, and a time in Unix milliseconds."""
_FILE = """
from agent import Run, journey

@journey(site="shop", every="{every}ms", timeout="900ms",
         owner="bench", browser=False, variants={{f"v{{n}}": {{}} for n in range({journeys})}})
async def walk(run: Run) -> None:
    pass
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What one location came to. Times are in seconds."""

    replicas: int
    journeys: int
    rate: float
    """Slots a second."""
    slots: int
    walked: int
    once: int
    """Slots with exactly one word."""
    p50: float
    p99: float
    """From a slot's time to the start of its walk; of the slots that were walked."""
    cpu: float
    """Seconds of CPU that all replicas took for each second."""
    server: float
    """The same of the server."""
    memory: float
    """MiB of a supervisor, the greatest of them."""

    @property
    def kept_up(self) -> bool:
        """Whether all were walked, and 99 of 100 began within a second."""
        return self.walked == self.slots and self.p99 <= LATE_AT_MOST


@contextlib.asynccontextmanager
async def _agent(home: Home) -> AsyncIterator[psutil.Process]:
    with (home.path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.timed_agent", str(home.config), str(WALK)),
            cwd=home.path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OTEL_SDK_DISABLED": "true"},
            stderr=log,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def measure(replicas: int, journeys: int, rate: float) -> Found:
    """Walk so many slots a second at a location of so many replicas, with one worker each."""
    every = journeys / rate
    with tempfile.TemporaryDirectory() as folder:
        async with NatsServer() as server, AsyncExitStack() as stack:
            location = Replicated(
                Path(folder),
                {"shop": "http://127.0.0.1:9"},
                server,
                replicas,
                schedule={"grace": "1s", "confirm_after": "0s"},
            )
            for home in location.homes:
                home.file("walk.py", _FILE.format(every=round(every * 1000), journeys=journeys))
            agents = [await stack.enter_async_context(_agent(home)) for home in location.homes]
            logs = [home.path / "log" for home in location.homes]

            def started() -> bool:
                return all(b'"agent.started"' in log.read_bytes() for log in logs)

            await until(started, _STARTS, lambda: logs[0].read_text()[-2000:])
            await asyncio.sleep(SETTLES)
            processes = [*agents, psutil.Process(server.pid)]
            before = [_cpu(one) for one in processes]
            begin = time.time()
            await asyncio.sleep(SECONDS)
            end = time.time()
            took = [
                (_cpu(one) - b) / (end - begin) for one, b in zip(processes, before, strict=True)
            ]
            memory = max(one.memory_info().rss for one in agents) / 2**20
            slots = [
                (name, round(at * 1000))
                for name in (f"walk-v{number}" for number in range(journeys))
                for at in Plan(Cadence(seconds=every), (name, LOCATION)).between(begin, end, 10**6)
            ]
            # What nobody walked gets its word once it is overdue.
            until_told = time.monotonic() + _TOLD
            while time.monotonic() < until_told and len(_words(location, slots)) < len(slots):  # noqa: ASYNC110 - of other processes
                await asyncio.sleep(1.0)
        words = _words(location, slots)
        late = _late(location.homes, set(slots))
    return Found(
        replicas=replicas,
        journeys=journeys,
        rate=rate,
        slots=len(slots),
        walked=len(late),
        once=sum(len(told) == 1 for told in words.values()),
        p50=median(late) if late else math.inf,
        p99=sorted(late)[math.ceil(0.99 * len(late)) - 1] if late else math.inf,
        cpu=sum(took[:-1]),
        server=took[-1],
        memory=memory,
    )


def _words(location: Replicated, slots: Sequence[Slot]) -> dict[Slot, list[str]]:
    told = location.words()
    return {slot: told[slot] for slot in slots if slot in told}


def _late(homes: Sequence[Home], slots: AbstractSet[Slot]) -> list[float]:
    """Return how late each walk began, of the slots that are counted."""
    times = {at for _, at in slots}
    found = []
    for home in homes:
        for line in (home.path / "starts").read_text().splitlines():
            scheduled, began = map(float, line.split())
            if round(scheduled * 1000) in times:
                found.append(began - scheduled)
    return found


def _cpu(process: psutil.Process) -> float:
    """Return the seconds of CPU that a process has taken, its workers left out."""
    times = process.cpu_times()
    return times.user + times.system


def capacity(replicas: int) -> Callable[[], AsyncIterator[Found]]:
    """Return a part: more and more slots a second, until they come too late."""

    async def part() -> AsyncIterator[Found]:
        for rate in RATES:
            found = await measure(replicas, JOURNEYS, rate)
            yield found
            if not found.kept_up:
                return

    return part


def growth(replicas: int) -> Callable[[], AsyncIterator[Found]]:
    """Return a part: the same rate with more and more journeys."""

    async def part() -> AsyncIterator[Found]:
        for journeys in (10, 100, 1000):
            yield await measure(replicas, journeys, GROWTH_RATE)

    return part


PARTS = {
    "capacity-1": capacity(1),
    "capacity-2": capacity(2),
    "capacity-4": capacity(4),
    "growth-1": growth(1),
    "growth-2": growth(2),
    "growth-4": growth(4),
}


def table(title: str, rows: Iterable[Found]) -> Table:
    """Return what was found for a terminal."""
    out = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in (
        "replicas", "journeys", "slots a second", "slots", "walked", "one word",
        "start lag p50", "p99", "CPU of a replica", "of the server", "memory",
    ):  # fmt: skip
        out.add_column(heading, justify="right")
    for row in rows:
        out.add_row(
            str(row.replicas),
            str(row.journeys),
            f"{row.rate:g}",
            str(row.slots),
            f"{row.walked / row.slots:.1%}",
            f"{row.once / row.slots:.2%}",
            f"{row.p50 * 1000:.0f} ms",
            f"{row.p99 * 1000:.0f} ms",
            f"{row.cpu / row.replicas:.0%}",
            f"{row.server:.0%}",
            f"{row.memory:.0f} MiB",
        )
    return out


async def _main(parts: Sequence[str]) -> None:
    console = Console(width=140, highlight=False)
    for name in parts:
        rows = []
        async for found in PARTS[name]():
            rows.append(found)
            console.print(table(name, rows[-1:]))
        console.print(table(name, rows))


def main() -> int:
    """Measure the parts that are asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replicas", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], default=[*PARTS])
    asyncio.run(_main(parser.parse_args().part))
    return 0


if __name__ == "__main__":
    sys.exit(main())
