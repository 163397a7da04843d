"""The suite's one clock: time that passes when a test says so."""

from __future__ import annotations

import asyncio


class ManualClock:
    """A clock whose hands move by ``advance``, and the wall's alone by ``step``.

    Args:
        wall: Unix time in seconds at which it begins.
        waits: whoever sleeps waits for ``advance``; else a sleep moves both hands and is over.

    """

    def __init__(self, wall: float = 1_800_000_000.0, *, waits: bool = False) -> None:
        self.now = 0.0
        """Seconds that have passed."""
        self.sleeps: list[float] = []
        """What was asked for, in order."""
        self._begun = wall
        self._waits = waits
        self._asked = asyncio.Event()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def wall(self) -> float:
        return self._begun + self.now

    def monotonic(self) -> float:
        return 100.0 + self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._asked.set()
        if not self._waits:
            self.advance(seconds)
            await asyncio.sleep(0)  # the others go on meanwhile, as in any sleep
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        await future

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake whoever has slept for long enough."""
        self.now += seconds
        for until, future in self._sleepers:
            if until <= self.now and not future.done():
                future.set_result(None)
        self._sleepers = [one for one in self._sleepers if not one[1].done()]

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, or suspend: nothing else moves."""
        self._begun += seconds

    async def asked(self, count: int) -> None:
        """Wait until so many sleeps were asked for."""
        async with asyncio.timeout(10):
            while len(self.sleeps) < count:
                self._asked.clear()
                await self._asked.wait()

    async def sleeping(self, seconds: float) -> None:
        """Wait until somebody sleeps for just so long."""
        async with asyncio.timeout(10):
            while not any(
                until == self.now + seconds and not future.done()
                for until, future in self._sleepers
            ):
                self._asked.clear()
                await self._asked.wait()
