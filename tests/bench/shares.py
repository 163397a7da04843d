"""Who spends a run's CPU time: supervisor (or bare loop), workers, drivers, browsers."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.bench.meter import Meter

_EVERY = 0.5
"""Seconds between two looks; what a process spends after the last is taken for a browser's."""

ROLES = ("supervisor", "workers", "drivers", "browsers")


@dataclass(slots=True)
class Shares:
    """CPU-seconds by role. A browser lives for one run, so theirs is what the others leave."""

    whole: float = 0.0
    lasting: dict[int, tuple[str, float]] = field(default_factory=dict)

    def of(self, role: str) -> float:
        """CPU-seconds of one role."""
        spent = dict.fromkeys(ROLES, 0.0)
        for name, seconds in self.lasting.values():
            spent[name] += seconds
        spent["browsers"] = self.whole - sum(spent.values())
        return spent[role]


@asynccontextmanager
async def watched(meter: Meter, pids: Iterable[int]) -> AsyncIterator[Shares]:
    """Watch these programs' processes while the block lasts."""
    shares, before = Shares(), meter.seconds()
    first: dict[int, float] = {}
    roots = [psutil.Process(pid) for pid in pids]

    def look() -> None:
        for root in roots:
            with suppress(psutil.Error):
                for process in (root, *root.children(recursive=True)):
                    _read(process, shares)

    async def looking() -> None:
        while True:
            await asyncio.to_thread(look)
            await asyncio.sleep(_EVERY)

    await asyncio.to_thread(look)
    first |= {pid: seconds for pid, (_, seconds) in shares.lasting.items()}
    task = asyncio.create_task(looking())
    try:
        yield shares
    finally:
        task.cancel()
        await asyncio.to_thread(look)
        shares.whole = meter.seconds() - before
        shares.lasting = {
            pid: (role, seconds - first.get(pid, 0.0))
            for pid, (role, seconds) in shares.lasting.items()
        }


def _read(process: psutil.Process, shares: Shares) -> None:
    with suppress(psutil.Error):
        role = shares.lasting[process.pid][0] if process.pid in shares.lasting else _role(process)
        if role:
            times = process.cpu_times()
            shares.lasting[process.pid] = (role, times.user + times.system)


def _role(process: psutil.Process) -> str:
    command = process.cmdline()
    pairs = list(itertools.pairwise(command))
    if ("-m", "agent.worker") in pairs:
        return "workers"
    if ("-m", "agent") in pairs or any(word.endswith("raw.py") for word in command[1:2]):
        return "supervisor"
    return "drivers" if "run-driver" in command else ""
