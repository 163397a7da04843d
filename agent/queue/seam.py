"""What stands between the schedule and the workers, whoever keeps it.

A slot is offered once it is due, claimed by one runner, and done with when it has its word.
What keeps the slots in between may be this process or a server that several replicas share;
``tests/unit/queue`` holds every implementation to the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.core.model import Slot


class Answer(Enum):
    """What became of an offer."""

    TAKEN = auto()
    """The slot waits here, or is being run."""
    FULL = auto()
    """There is no room for it."""
    ELSEWHERE = auto()
    """It is where all replicas see it, or another one's: whoever claims it gives it its word."""
    AWAY = auto()
    """What keeps the queue can't be reached in time; the slot may be there all the same.

    It may be offered again, also once the queue is back.
    """


@dataclass(frozen=True, slots=True)
class QueuedSlot:
    """A slot and the id of the run that it is to become."""

    run_id: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that a runner has taken."""

    queued: QueuedSlot
    again: bool = False
    """Another runner had taken it before, and was not heard of again: it may have walked it."""
    overrun: bool = False
    """The journey's last run still goes on, with whichever runner of the location."""


class Queue(Protocol):
    """First in, first out; each slot goes to one runner. Of one event loop.

    Only ``claim`` waits; everything else is over within seconds, whatever keeps the queue.
    """

    @property
    def depth(self) -> int:
        """How many slots wait to be claimed."""
        ...

    @property
    def lease(self) -> float:
        """Seconds for which a claim holds unless it is extended; infinite: until it is done."""
        ...

    async def offer(self, queued: QueuedSlot) -> Answer:
        """Have a slot wait for a runner: once, however often it is offered before it is done."""
        ...

    async def claim(self) -> Claim:
        """Wait for the oldest slot and take it; who is cancelled while waiting takes none.

        Whatever it says, the slot is the runner's now: it ends with ``done`` or ``release``.
        """
        ...

    async def extend(self, run_id: str) -> None:
        """Hold on to a claimed slot for another ``lease``: it is still being run."""
        ...

    async def done(self, run_id: str) -> None:
        """Let go of a claimed slot that has its word. Nothing happens to any other.

        Where what keeps the queue is away, it may come to a runner again: as one that has a word.
        """
        ...

    async def release(self, run_id: str) -> None:
        """Give back a claimed slot that was not run: it is the next to be claimed."""
        ...

    async def drain(self) -> list[QueuedSlot]:
        """Take out all that wait for this process alone, oldest first.

        Claimed ones stay with their runners. A queue that others claim from has none of these:
        from now on it gives nothing to this process, and what waits is left to the others.
        """
        ...
