"""What an agent costs while nothing is due: CPU between runs, and the memory of all of it."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.memory import tree
from tests.bench.meter import Meter
from tests.bench.sides import Agent, Load

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOAD = Load(journeys=50, every=300.0)
_SETTLE = 18.0
"""Seconds until what a start launches and keeps for its first runs is over."""
_SECONDS = 50.0
_EVERY = 1.0
_APART = 2
"""Looks without a finished run, before and after: a run takes less, its browser's end included."""


@dataclass(frozen=True, slots=True)
class Idle:
    """The looks between runs: CPU-seconds a second, and bytes of all processes together."""

    cpu: list[float]
    pss: list[int]
    runs: int
    """Runs that were made meanwhile."""

    @property
    def share(self) -> float:
        """Of one core."""
        return statistics.fmean(self.cpu)

    @property
    def size(self) -> int:
        """The middle of all looks."""
        return int(statistics.median(self.pss))


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    cpu: float
    made: int


async def measure(url: str, endpoint: str) -> Idle:
    """Look at a daemon that has as little to do as most have."""
    with Meter() as meter:
        async with Agent(meter, url, endpoint, _LOAD) as agent:
            await asyncio.sleep(_SETTLE)
            looks: list[_Look] = []
            until = time.monotonic() + _SECONDS
            while time.monotonic() < until:
                looks.append(_Look(time.monotonic(), meter.seconds(), agent.made))
                await asyncio.sleep(_EVERY)
            sizes = await _sizes(agent)
            await agent.drain()
    return Idle(between(looks), sizes, looks[-1].made - looks[0].made)


def between(looks: Sequence[_Look]) -> list[float]:
    """Return the CPU-seconds a second of each pause between two looks that no run was near."""
    return [
        (looks[n + 1].cpu - looks[n].cpu) / (looks[n + 1].at - looks[n].at)
        for n in range(_APART, len(looks) - 1 - _APART)
        if looks[n - _APART].made == looks[n + 1 + _APART].made
    ]


async def _sizes(agent: Agent) -> list[int]:
    """Return what all processes hold, each time that some seconds passed without a run."""
    sizes: list[int] = []
    until = time.monotonic() + _SETTLE
    made, since = agent.made, time.monotonic()
    while time.monotonic() < until:
        await asyncio.sleep(_EVERY)
        if agent.made != made:
            made, since = agent.made, time.monotonic()
        elif time.monotonic() - since > _APART * _EVERY:
            sizes.append(await asyncio.to_thread(tree, agent.pid))
    return sizes
