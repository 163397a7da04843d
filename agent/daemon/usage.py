"""What the agent itself takes of its machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from agent.core.clock import Clock

_MEASURE = 10.0
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Memory in bytes (proportional set size, where the system tells it) and processes."""

    memory: int = 0
    processes: int = 0


class UsageMeter:
    """Measures again and again; ``last`` is what it saw last."""

    def __init__(self) -> None:
        self.last = Usage()

    async def watch(self, clock: Clock) -> None:
        """Measure for ever, beside the loop."""
        while True:
            self.last = await asyncio.to_thread(measure)
            await clock.sleep(_MEASURE)


def measure() -> Usage:
    """Measure this process and everything below it; takes some milliseconds a process."""
    me = psutil.Process()
    sizes = [_size(process) for process in (me, *me.children(recursive=True))]
    return Usage(sum(sizes), sum(size > 0 for size in sizes))


def _size(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.rss))
