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
    """Another replica has it, and gives it its word."""


@dataclass(frozen=True, slots=True)
class QueuedSlot:
    """A slot and the id of the run that it is to become."""

    run_id: str
    slot: Slot


class Queue(Protocol):
    """First in, first out; each slot goes to one runner. Of one event loop."""

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

    async def claim(self) -> QueuedSlot:
        """Wait for the oldest slot and take it; who is cancelled while waiting takes none."""
        ...

    async def extend(self, run_id: str) -> None:
        """Hold on to a claimed slot for another ``lease``: it is still being run."""
        ...

    async def done(self, run_id: str) -> None:
        """Let go of a claimed slot that has its word. Nothing happens to any other."""
        ...

    async def release(self, run_id: str) -> None:
        """Give back a claimed slot that was not run: it is the next to be claimed."""
        ...

    async def drain(self) -> list[QueuedSlot]:
        """Take out all that wait, oldest first. Claimed ones stay with their runners."""
        ...
