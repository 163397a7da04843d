"""How much driver and browser have to digest of what the journey's pages sent.

They pass on what pages say one after the other, so the canary waits behind it. Whether they are
busy with the weight of a page or hang shows in what they do: the driver has read many bytes, and
one of the two runs, or waits for a processor, most of the time. Who hangs does neither.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.child_processes import child_processes

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAVY = 8_000_000
"""Bytes from browsers in one walk; a usual one has some hundred thousands."""
_BUSY = 0.5
"""The share of the time for which those that digest run, or wait for a processor."""


@dataclass(frozen=True, slots=True)
class DriverState:
    """What a driver has read (bytes) and how long it and its browsers were busy (seconds)."""

    read: int
    busy: float
    at: float

    @classmethod
    def of(cls, pids: Sequence[int]) -> DriverState:
        """Look at the driver; where the system tells nothing, it has done nothing."""
        # The browsers that it started; their own children, the pages, don't count.
        busy = [*pids, *(child for pid in pids for child in child_processes(pid))]
        return cls(sum(map(_read, pids)), sum(map(_busy, busy)), time.monotonic())

    def digests(self, since_walk: DriverState, since_canary: DriverState) -> bool:
        """Whether it was the weight of pages that held the driver up during the canary."""
        heavy = self.read - since_walk.read >= _HEAVY
        took = self.at - since_canary.at
        return heavy and took > 0 and (self.busy - since_canary.busy) / took >= _BUSY


def _read(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/io").read_text().splitlines():
            if line.startswith("rchar:"):
                return int(line.split()[1])
    return 0


def _busy(pid: int) -> float:
    with suppress(OSError, ValueError):
        ran, waited, *_ = map(int, Path(f"/proc/{pid}/schedstat").read_text().split())
        return (ran + waited) / 1e9
    return 0.0
