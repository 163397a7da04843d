"""When the metrics are collected: each interval, and at once where an alert may wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.core.first_of import first_of
from agent.core.results import Result

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.core.results import RunResult

_MOST_OFTEN: Final = 3
"""Collections in an interval, however much is new: many journeys may fail together."""


class CollectionTimer:
    """``interval`` is in seconds. ``on_run`` for each run; ``wait`` for each collection."""

    def __init__(self, clock: Clock, interval: float) -> None:
        self._clock = clock
        self._interval = interval
        self._soonest = float("-inf")
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()
        self._stopping = asyncio.Event()
        self._troubled: set[str] = set()
        self.held_up = False
        """Whether the last collection still waits for the collector: then nothing is gained by
        the next one's coming early, and the spool would hold the less of the past."""

    def on_run(self, run: RunResult) -> None:
        """Take note of a committed run: one that did not pass is news, so is the next pass."""
        name = run.journey.name
        well = run.result is Result.PASS
        if well and name not in self._troubled:
            return
        (self._troubled.discard if well else self._troubled.add)(name)
        if not self.held_up:
            self._news.set()

    def at_once(self) -> None:
        """Have the next collection now, however soon after the last one."""
        self._urgent.set()
        self._news.set()

    def stop(self) -> None:
        """Have ``wait`` return at once, for the last time."""
        self._stopping.set()
        self.at_once()

    async def wait(self) -> bool:
        """Wait until the next collection is due; return whether there is another after it."""
        await first_of(self._clock.sleep(self._interval), self._until_news())
        self._news.clear()
        self._urgent.clear()
        self._soonest = self._clock.monotonic() + self._interval / _MOST_OFTEN
        return not self._stopping.is_set()

    async def _until_news(self) -> None:
        await self._news.wait()
        rest = self._soonest - self._clock.monotonic()
        if rest > 0:
            await first_of(self._clock.sleep(rest), self._urgent.wait())
