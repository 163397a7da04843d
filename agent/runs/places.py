"""How many runs may walk at once: a place for each worker, lent to others by runs that rest."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Places:
    """``count`` places, of one event loop. Who returns from a rest comes before who is new."""

    def __init__(self, count: int) -> None:
        self.count = count
        """How many there are in all."""
        self._free = count
        self._returning: deque[asyncio.Future[None]] = deque()
        self._new: deque[asyncio.Future[None]] = deque()

    async def until_free(self) -> None:
        """Wait until there is a place for who is new, without taking it."""
        await self.take(returning=False)
        self.give()

    async def take(self, *, returning: bool) -> None:
        """Wait for a place and take it; who is cancelled while waiting takes none."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._returning if returning else self._new).append(mine)
        self._serve()
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                self.give()  # it came in the same moment
            raise

    @property
    def free(self) -> int:
        """How many are free and waited for by nobody."""
        return 0 if self._returning or self._new else self._free

    def take_if_free(self) -> bool:
        """Take one that is free, if there is any; return whether."""
        taken = self.free > 0
        self._free -= taken
        return taken

    def give(self) -> None:
        """Give one back."""
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        while self._free and (waiting := self._returning or self._new):
            first = waiting.popleft()
            if not first.done():
                self._free -= 1
                first.set_result(None)


class Place:
    """One run's place among ``places``, from ``take`` to ``give``."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._held = False

    async def take(self) -> None:
        """Wait for a place and take it; who is cancelled while waiting takes none."""
        await self._places.take(returning=False)
        self._held = True

    async def take_ahead(self) -> None:
        """Do the same, before all who are new."""
        await self._places.take(returning=True)
        self._held = True

    @property
    def held(self) -> bool:
        """Whether it is taken."""
        return self._held

    def take_if_free(self) -> bool:
        """Take a place that is free, without waiting; return whether there was one."""
        self._held = self._places.take_if_free()
        return self._held

    def give(self) -> None:
        """Give it back, if it is held."""
        if self._held:
            self._held = False
            self._places.give()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Let another have it meanwhile, and wait for one again afterwards.

        Who is cancelled meanwhile comes back without one.
        """
        self.give()
        yield
        await self._places.take(returning=True)
        self._held = True
