"""A shared queue that may be away for a moment: what could not be offered is, while it is time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NoReturn

from agent.queue.seam import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.clock import Clock
    from agent.queue.seam import Claim, Queue, QueuedSlot

_AGAIN: Final = 1.0
"""Seconds between two tries."""
_MOST: Final = 10_000
"""Slots that wait for the queue; of more the oldest are left to the sweep."""


class PatientQueue:
    """``queue``, with offers that wait for it. Nothing of them is lost that the sweep can't find.

    ``in_time`` tells whether a slot may still be walked.
    """

    def __init__(self, queue: Queue, clock: Clock, in_time: Callable[[QueuedSlot], bool]) -> None:
        self._queue = queue
        self._clock = clock
        self._in_time = in_time
        self._waiting: deque[QueuedSlot] = deque(maxlen=_MOST)
        self._draining = False

    @property
    def depth(self) -> int:
        """How many slots wait to be claimed."""
        return self._queue.depth

    @property
    def lease(self) -> float:
        """Seconds for which a claim holds."""
        return self._queue.lease

    async def offer(self, queued: QueuedSlot) -> Answer:
        """Have a slot be where all replicas see it, now or once the queue is back."""
        answer = await self._queue.offer(queued)
        if answer is Answer.AWAY:
            self._waiting.append(queued)
        return answer

    async def run(self) -> NoReturn:
        """Offer again what waits, until cancelled."""
        while True:
            await self._clock.sleep(_AGAIN)
            await self.offer_again()

    async def offer_again(self) -> None:
        """Offer what waits, oldest first, until the queue is away again."""
        while self._waiting and not self._draining:
            if self._in_time(self._waiting[0]):
                answer = await self._queue.offer(self._waiting[0])
                if answer is Answer.AWAY:
                    return
            self._waiting.popleft()

    async def claim(self) -> Claim:
        """Wait for the oldest slot and take it."""
        return await self._queue.claim()

    async def extend(self, run_id: str) -> None:
        """Hold on to a claimed slot."""
        await self._queue.extend(run_id)

    async def done(self, run_id: str) -> None:
        """Let go of a claimed slot that has its word."""
        await self._queue.done(run_id)

    async def release(self, run_id: str) -> None:
        """Give back a claimed slot that was not run."""
        await self._queue.release(run_id)

    async def drain(self) -> list[QueuedSlot]:
        """Offer and claim no more."""
        self._draining = True
        return await self._queue.drain()
