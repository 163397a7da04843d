"""CPU-seconds per run of both sides, in turns, so that both see the same machine."""

from __future__ import annotations

import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.bench.meter import Meter
from tests.bench.shares import Shares, watched
from tests.bench.sides import WORKERS, Agent, BareLoop, Load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.sides import Program

_LIFE = 50
"""Runs of a worker before it is replaced, by default."""
_WARM = 5
"""Runs of each worker or loop before measuring begins: the start is not what a run costs."""
_BARE_RUNS = 40
_AGENT_RUNS = WORKERS * _LIFE
"""In so many runs each worker is replaced once, so that the price of that is in."""
_FULL = Load(journeys=30, every=6.0)
"""More than two workers can walk on any machine of today: they never wait."""


@dataclass(frozen=True, slots=True)
class Window:
    """What one side used while it made ``runs``: CPU-seconds, and wall seconds."""

    runs: int
    cpu: float
    wall: float
    shares: Shares

    @property
    def each(self) -> float:
        """CPU-seconds per run."""
        return self.cpu / self.runs

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.runs / self.wall


@dataclass(frozen=True, slots=True)
class Costs:
    """Both sides' windows: bare, agent, bare, agent … bare."""

    bare: list[Window]
    agent: list[Window]
    replaced: int
    """Workers of the agent that were replaced meanwhile, which is part of what runs cost."""
    bad: int
    """Runs of the agent that did not pass; they are not counted as runs."""

    @property
    def ratios(self) -> list[float]:
        """The agent's cost over that of the bare loops before and after, for each round."""
        around = pairwise(self.bare)
        return [
            one.each / statistics.fmean((before.each, after.each))
            for one, (before, after) in zip(self.agent, around, strict=True)
        ]

    @property
    def ratio(self) -> float:
        """The middle one."""
        return statistics.median(self.ratios)


async def measure(url: str, executable: Path, endpoint: str, rounds: int) -> Costs:
    """Measure so many rounds."""
    bare, agent, replaced, bad = [await _bare(url, executable)], [], 0, 0
    for _ in range(rounds):
        with Meter() as meter:
            async with Agent(meter, url, endpoint, _FULL) as daemon:
                agent.append(await _window(meter, [daemon], _AGENT_RUNS))
                replaced += daemon.replaced
                bad += len(daemon.bad())
                await daemon.drain()
        bare.append(await _bare(url, executable))
    return Costs(bare, agent, replaced, bad)


async def _bare(url: str, executable: Path) -> Window:
    with Meter() as meter:
        async with AsyncExitStack() as stack:
            loops = [
                await stack.enter_async_context(BareLoop(meter, url, executable))
                for _ in range(WORKERS)
            ]
            return await _window(meter, loops, _BARE_RUNS)


async def _window(meter: Meter, programs: Sequence[Program], runs: int) -> Window:
    """Measure from the end of the warm-up until so many more runs have been made."""
    warm = _WARM * WORKERS // len(programs)
    for program in programs:
        await program.until(warm)
    made, cpu, since = sum(p.made for p in programs), meter.seconds(), time.monotonic()
    async with watched(meter, [program.pid for program in programs]) as shares:
        while (now := sum(p.made for p in programs)) < made + runs:
            await programs[0].until(programs[0].made + 1)
    return Window(now - made, meter.seconds() - cpu, time.monotonic() - since, shares)
