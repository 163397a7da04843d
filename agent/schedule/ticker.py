"""The ticker: decides every slot of every journey, exactly once, when its moment has come.

Slots are computed, not fired. For each journey the ticker knows up to where it has decided;
at every tick it looks at the slots between there and now. Usually that is none or one. More
than one is a gap: the agent was down, the machine suspended, the clock set forward. Then only
the newest may still run, and the others are skipped together, with a count.

A gap is counted back 24 hours, whatever made it: what a year-long step of the clock jumped
over was never expected of anybody. Older slots are not decided at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.model import SkipReason, Slot
from agent.schedule.decision import Closer, Decision, Offer, Skip
from agent.schedule.lateness import too_late
from agent.schedule.plan import Plan, Span, floor_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.core.model import Journey

_HORIZON = 24 * 3600.0
"""Seconds that a gap is counted back."""
_JUST = 0.0005
"""Seconds before a slot where nothing lies between: slots stand on whole milliseconds."""


@dataclass(slots=True)
class _Row:
    """One journey's place: the last slot that was decided, or its start, and the next one."""

    journey: Journey
    plan: Plan
    decided: float
    due: float
    closer_done: float = 0.0
    """Up to where moments of closer runs are passed."""
    closer_due: float = math.inf
    """The next of them."""


class Ticker:
    """Decides the slots of one location. Pure: time and state are given by the caller."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._rows: dict[str, _Row] = {}
        self._loaded = False

    def load(
        self, journeys: Sequence[Journey], last_decided: Mapping[str, float | None], now: float
    ) -> None:
        """Take these journeys instead of those before; at the start and at every reload.

        On the first load a journey goes on from its ``last_decided`` slot (Unix seconds), and
        one without starts from ``now``. At a reload one that ticks already goes on; one that
        is new, enabled again or has another cadence starts from ``now``. Disabled journeys
        decide nothing. ``now`` is the ``Timeline``'s, so nothing later than it is decided.

        Raises:
            ValueError: a cadence can't be understood; nothing has changed then.

        """
        rows: dict[str, _Row] = {}
        for journey in journeys:
            if not journey.enabled:
                continue
            old = self._rows.get(journey.name)
            if old is not None and old.journey.cadence == journey.cadence:
                rows[journey.name] = _Row(journey, old.plan, old.decided, old.due, now)
                continue
            before = None if self._loaded else last_decided.get(journey.name)
            decided = now if before is None else before
            plan = Plan(journey.cadence, (journey.name, self._location))
            rows[journey.name] = _Row(journey, plan, decided, plan.next(decided), now)
        self._rows = rows
        self._loaded = True

    def decided(self) -> dict[str, float]:
        """Tell up to where each enabled journey is decided, in Unix seconds."""
        return {name: row.decided for name, row in self._rows.items()}

    def gap(self, journey: Journey) -> float:
        """Return the seconds from a journey's last decided slot to its next one.

        Never less than its interval, which alone holds for one that doesn't tick.
        """
        row = self._rows.get(journey.name)
        return journey.interval if row is None else max(journey.interval, row.due - row.decided)

    def next_slot(self, journey: str) -> float | None:
        """Return when a journey's next slot is, in Unix seconds; None: it has none to come."""
        row = self._rows.get(journey)
        return row.due if row is not None and math.isfinite(row.due) else None

    def next_closer(self, journey: str) -> float | None:
        """Return when a journey's next closer run is, in Unix seconds; None: it has none."""
        row = self._rows.get(journey)
        return row.closer_due if row is not None and row.closer_due < row.due else None

    def next_due(self) -> float:
        """Return when the next slot is due, in Unix seconds; infinity if nothing ticks."""
        return min((row.due for row in self._rows.values()), default=math.inf)

    def next_tick(self) -> float:
        """Return when something is due, a slot or a closer run; infinity if nothing ticks."""
        return min((min(row.due, row.closer_due) for row in self._rows.values()), default=math.inf)

    def closer(self, now: float, room: Callable[[Journey], float | None]) -> list[Closer]:
        """Return the closer runs that are due now; those whose moment has passed don't come back.

        They lie whole multiples of ``every_failing`` after the last slot, so they don't drift.
        ``room`` tells how many seconds before the next slot one has to begin; None: there are
        none now.
        """
        return [closer for row in self._rows.values() if (closer := self._closer(row, now, room))]

    def _closer(
        self, row: _Row, now: float, room: Callable[[Journey], float | None]
    ) -> Closer | None:
        every = row.journey.every_failing
        wanted = None if every is None else room(row.journey)
        if every is None or wanted is None:
            row.closer_done, row.closer_due = now, math.inf
            return None
        first, step = floor_ms(row.decided), floor_ms(every)
        passed = (floor_ms(now) - first) // step
        at = (first + passed * step) / 1000
        row.closer_due = (first + (passed + 1) * step) / 1000
        is_new = passed > 0 and at > row.closer_done
        row.closer_done = now
        # After a gap it says too little about its moment.
        if not is_new or now - at > every / 2 or now + wanted > row.due:
            return None
        return Closer(Slot(row.journey.name, self._location, at), row.due - now)

    def due(
        self, now: float, obstacle: Callable[[Journey], SkipReason | None], *, starting: bool
    ) -> list[Decision]:
        """Decide every slot up to ``now``, in the order of their times.

        ``obstacle`` tells why a journey can't be walked at this moment. ``starting`` holds for the
        first tick of a process: what lies further back then was missed because it was down.
        """
        gap = SkipReason.DOWN if starting else SkipReason.LATE
        decisions: list[Decision] = []
        for row in self._rows.values():
            if row.due > now:
                continue
            span = row.plan.span(max(row.decided, now - _HORIZON), now)
            row.due = row.plan.next(now)
            if span:
                row.decided = span.last
                decisions.extend(self._decide(row, span, now, obstacle, gap))
        return sorted(decisions, key=lambda decision: decision.slot.scheduled_at)

    def _decide(
        self,
        row: _Row,
        span: Span,
        now: float,
        obstacle: Callable[[Journey], SkipReason | None],
        gap: SkipReason,
    ) -> list[Decision]:
        if too_late(row.journey, now - span.last):
            return [self._skip(row, span, gap)]
        slot = self._slot(row, span.last)
        why = obstacle(row.journey)
        newest = Offer(slot) if why is None else Skip(slot, why)
        older = row.plan.span(span.first - _JUST, span.last - _JUST)
        return [self._skip(row, older, gap), newest] if older else [newest]

    def _skip(self, row: _Row, span: Span, reason: SkipReason) -> Skip:
        since = span.first if span.count > 1 else None
        return Skip(self._slot(row, span.last), reason, span.count, since)

    def _slot(self, row: _Row, scheduled_at: float) -> Slot:
        return Slot(row.journey.name, self._location, scheduled_at)
