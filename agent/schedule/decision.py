"""What is decided about a slot that came due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.model import SkipReason, Slot


@dataclass(frozen=True, slots=True)
class Offer:
    """Run the slot now."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Skip:
    """Don't run the slot; or ``count`` slots in a row, of which it is the last.

    ``since`` is the scheduled time of the first of them (None: there is one only).
    """

    slot: Slot
    reason: SkipReason
    count: int = 1
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Closer:
    """Walk a journey that failed between its slots; ``slot`` is none of the schedule's."""

    slot: Slot
    room: float
    """Seconds until the next one that is."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Leave the slot to another replica of the agent, which has it."""

    slot: Slot


Decision = Offer | Skip | Elsewhere
