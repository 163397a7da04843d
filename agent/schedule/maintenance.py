"""Maintenance windows: when each one is, and which journeys it suspends. Pure.

A window begins by the clocks on the wall of its own time zone, as a slot of a cron line does:
a local time that doesn't exist begins at the next instant that does, one that comes twice begins
once. It lasts for the time that passes, also over a night on which clocks are set.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from agent.core.model import Cadence
from agent.schedule.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.core.model import Journey
    from agent.core.suspension import Maintenance

OWNER = "owner="
"""What a selector begins with that names an owner, not a journey."""
_LOOKED_BACK = 4 * 86_400.0
"""Seconds for which a window that is over is still known after a start."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One time that a window holds: from ``begin`` to before ``end``, in Unix seconds."""

    begin: float
    end: float


def selects(selector: str, journey: Journey) -> bool:
    """Whether a name, a glob, or ``owner=`` with either means a journey.

    The name under which it is declared means all of its variants.
    """
    if selector.startswith(OWNER):
        return fnmatchcase(journey.owner, selector.removeprefix(OWNER))
    declared = journey.base or journey.name
    return declared == selector or fnmatchcase(journey.name, selector)


class Window:
    """One ``[[maintenance]]``, asked about moments that don't go back, or seldom.

    Raises:
        ValueError: its cron line can't be understood.

    """

    def __init__(self, maintenance: Maintenance) -> None:
        self.maintenance = maintenance
        cadence = Cadence(cron=maintenance.cron, timezone=maintenance.timezone)
        self._plan = Plan(cadence, ("", "")) if maintenance.cron is not None else None
        self._asked_at = float("inf")
        self._ahead: Iterator[Turn] = iter(())
        self._latest: Turn | None = None
        self._next: Turn | None = None

    def covers(self, journey: Journey) -> bool:
        """Whether it suspends a journey."""
        return any(selects(one, journey) for one in self.maintenance.journeys)

    def turns(self, after: float) -> Iterator[Turn]:
        """Yield the times that it holds and that end later than ``after``, in order.

        They overlap where it lasts longer than from one begin to the next.
        """
        lasts, starts = self.maintenance.lasts, self.maintenance.starts
        if self._plan is None:
            if starts is not None and starts + lasts > after:
                yield Turn(starts, starts + lasts)
            return
        begin = after - lasts
        while True:
            begin = self._plan.next(begin)
            yield Turn(begin, begin + lasts)

    def latest(self, now: float) -> Turn | None:
        """Return the last turn that has begun by ``now``, over or not; None: none of late.

        Turns that overlap are one.
        """
        self._advance(now)
        return self._latest

    def next(self, now: float) -> Turn | None:
        """Return the first turn that begins later than ``now``; None: there is none."""
        self._advance(now)
        return self._next

    def upcoming(self, now: float, count: int) -> list[Turn]:
        """List the turn that holds now, if one does, and those after it, ``count`` in all."""
        return list(islice(self.turns(now), count))

    def _advance(self, now: float) -> None:
        if now < self._asked_at:
            self._ahead = self.turns(now - _LOOKED_BACK)
            self._latest, self._next = None, next(self._ahead, None)
        self._asked_at = now
        while self._next is not None and self._next.begin <= now:
            before, self._latest = self._latest, self._next
            if before is not None and before.end >= self._latest.begin:
                self._latest = Turn(before.begin, self._latest.end)
            self._next = next(self._ahead, None)
