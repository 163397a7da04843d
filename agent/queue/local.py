"""The queue of one agent: kept in memory, bounded.

What waits when the agent dies is lost here on purpose. The slot table knows of it, and the
next start ends it as ``down``: by then its moment has passed.
"""

from __future__ import annotations

import asyncio
import math
from itertools import count
from typing import TYPE_CHECKING

from agent.queue.seam import Answer, Claim

if TYPE_CHECKING:
    from agent.queue.seam import QueuedSlot


class LocalQueue:
    """Holds ``bound`` waiting slots at most; those that are being run don't count."""

    lease = math.inf

    def __init__(self, bound: int) -> None:
        self._waiting: asyncio.PriorityQueue[tuple[int, QueuedSlot]] = asyncio.PriorityQueue()
        self._bound = bound
        self._numbers = count()
        self._claimed: dict[str, tuple[int, QueuedSlot]] = {}
        self._known: set[str] = set()
        """The runs that wait or are claimed."""

    @property
    def depth(self) -> int:
        """How many slots wait to be claimed."""
        return self._waiting.qsize()

    async def offer(self, queued: QueuedSlot) -> Answer:
        """Have a slot wait for a runner."""
        if queued.run_id not in self._known:
            if self.depth >= self._bound:
                return Answer.FULL
            self._known.add(queued.run_id)
            self._waiting.put_nowait((next(self._numbers), queued))
        return Answer.TAKEN

    async def claim(self) -> Claim:
        """Wait for the oldest slot and take it."""
        number, taken = await self._waiting.get()
        self._claimed[taken.run_id] = number, taken
        return Claim(taken)

    async def extend(self, run_id: str) -> None:
        """Do nothing: who claims a slot here lives and dies with the queue."""

    async def done(self, run_id: str) -> None:
        """Let go of a claimed slot that has its word."""
        if self._claimed.pop(run_id, None) is not None:
            self._known.discard(run_id)

    async def release(self, run_id: str) -> None:
        """Give back a claimed slot that was not run."""
        given_back = self._claimed.pop(run_id, None)
        if given_back is not None:
            # Under its old number, so that it is the oldest again; where others have come
            # since, beyond the bound: a slot that was taken is never refused afterwards.
            self._waiting.put_nowait(given_back)

    async def drain(self) -> list[QueuedSlot]:
        """Take out all that wait, oldest first."""
        taken = []
        while not self._waiting.empty():
            _, queued = self._waiting.get_nowait()
            self._known.discard(queued.run_id)
            taken.append(queued)
        return taken
