"""Up to where the slots of each journey are known to have their words, as the store keeps it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from agent.core.model import Cadence
from agent.schedule.lateness import lifetime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.model import Journey

_MARGIN: Final = 15.0
"""Seconds for clocks that are apart, and for a claim to lapse and be taken up by another."""


@dataclass(slots=True)
class Stretch:
    """A journey's slots by one cadence, from a time on, or between two. Unix seconds."""

    journey: str
    cadence: Cadence
    interval: float
    overdue: float
    """Seconds after which a slot has its word, or gets none but from the sweep."""
    until: float
    """All up to here have theirs."""
    end: float | None = None
    """The last moment that it holds for; None: it goes on."""

    @classmethod
    def of(cls, journey: Journey, begin: float) -> Stretch:
        """Begin one."""
        overdue = lifetime(journey) + _MARGIN
        return cls(journey.name, journey.cadence, journey.interval, overdue, begin)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it."""
        return self.end is not None and self.until >= self.end


_STRETCHES = TypeAdapter(list[Stretch])


def write(stretches: Sequence[Stretch]) -> bytes:
    """Write them down; most of it is the same again and again."""
    return zlib.compress(_STRETCHES.dump_json(list(stretches)))


def read(value: bytes) -> list[Stretch]:
    """Read what the store has; nothing, where that is of another version of the agent."""
    try:
        return _STRETCHES.validate_json(zlib.decompress(value))
    except (ValueError, zlib.error):
        return []


def renewed(
    stretches: Sequence[Stretch], journeys: Sequence[Journey], since: float
) -> list[Stretch]:
    """Go on with these journeys, which are those that are walked since a Unix time.

    What goes on by the same cadence goes on here; the stretch of one that is gone, or has another
    cadence, ends then, and the one of what is new begins.
    """
    wanted = {journey.name: journey for journey in journeys if journey.enabled}
    kept: list[Stretch] = []
    for stretch in stretches:
        journey = wanted.get(stretch.journey)
        if stretch.end is None and journey is not None and journey.cadence == stretch.cadence:
            fresh = Stretch.of(wanted.pop(stretch.journey), stretch.until)
            kept.append(fresh)
            continue
        if stretch.end is None:
            stretch.end = since
        if not stretch.is_over:
            kept.append(stretch)
    return [*kept, *(Stretch.of(journey, since) for journey in wanted.values())]
