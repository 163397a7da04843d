"""Time, injected: nothing in Footfall reads a clock or sleeps except through one of these."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What a station may ask of time. Tests implement it without waiting."""

    def wall(self) -> float:
        """Unix time in seconds; may jump either way."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many monotonic seconds."""
        ...


class SteadyTime:
    """Unix time that nobody sets: the wall clock's at the start, and monotonic since.

    For how long something took and how old it is. In a suspended machine it stands still.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self.started_at = clock.wall()
        """Where it began, in Unix seconds."""

    def passed(self) -> float:
        """Return the seconds since it began; never less than before."""
        return self._clock.monotonic() - self._began

    def now(self) -> float:
        """Return Unix seconds, never less than before."""
        return self.started_at + self.passed()


class SystemClock:
    """The machine's clocks."""

    def wall(self) -> float:
        """Unix time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of ``CLOCK_MONOTONIC``."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)
