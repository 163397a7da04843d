"""What suspends each journey at a moment: people's pauses and the configuration's windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.core.model import SkipReason
from agent.core.suspension import Cause, Mode, Suspension
from agent.storage.journey_state import fresh_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.model import Journey
    from agent.schedule.maintenance import Turn, Window
    from agent.schedule.pauses import Pauses
    from agent.storage.journey_state import JourneyState

_TOLD_AS_OVER = 3600.0
"""Seconds for which it is said that nothing suspends a journey any more: longer than any store
goes by the last value that it has heard, and than a collector takes to restart."""
_MOST_DROPPED = 100
_RULES = 15.0
"""Seconds between two evaluations of the alert rules."""
_SKIPS = {Cause.PAUSE: SkipReason.PAUSED, Cause.MAINTENANCE: SkipReason.MAINTENANCE}


@dataclass(frozen=True, slots=True)
class Mark:
    """One kind of suspension of a journey as rules see it."""

    cause: Cause
    mode: Mode
    is_open: bool
    """Whether it has no end but a person's word."""


class Suspensions:
    """Asked about one moment after the other. Times are Unix seconds.

    ``pauses`` are the people's; whoever changes them does so in here. ``interval`` is that at
    which metrics are sent, in seconds.
    """

    def __init__(self, pauses: Pauses, windows: Sequence[Window], interval: float) -> None:
        self.pauses = pauses
        self._windows = tuple(windows)
        self._dropped: tuple[tuple[Window, Turn], ...] = ()
        """Windows that the configuration has no more, and their last turn, cut short by that."""
        self._lead = interval + _RULES
        """Seconds by which rules hear of a window ahead of its begin."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of the configuration."""
        return self._windows

    def replace_windows(self, windows: Sequence[Window], now: float) -> None:
        """Go by these windows from now on; what one held that is gone is over."""
        same = {window.maintenance: window for window in self._windows}
        kept = tuple(same.get(window.maintenance, window) for window in windows)
        for window in self._windows:
            turn = window.latest(now)
            if window not in kept and turn is not None:
                cut = replace(turn, end=min(turn.end, now))
                self._dropped = (*self._dropped, (window, cut))[-_MOST_DROPPED:]
        self._windows = kept

    def holding(self, journey: Journey, now: float) -> list[Suspension]:
        """List what suspends a journey now: what stops it first, and pauses before windows."""
        found = [
            pause.over(journey.name)
            for pause in self.pauses.known
            if pause.holds(journey.name, now)
        ]
        for window in self._windows:
            turn = window.latest(now) if window.covers(journey) else None
            if turn is not None and now < turn.end:
                found.append(_turned(window, turn))
        return sorted(found, key=lambda one: one.mode is not Mode.STOP)

    def obstacle(self, journey: Journey, now: float) -> SkipReason | None:
        """Return why a journey isn't walked now; None: it is, as far as this goes."""
        held = self.holding(journey, now)
        return _SKIPS[held[0].cause] if held and held[0].mode is Mode.STOP else None

    def told(self, journey: Journey, state: JourneyState, now: float) -> dict[Mark, bool]:
        """Return what rules are to go by: true while alerts about a journey wait, then false.

        They wait from shortly before a window begins until a run that began after its end has
        come to a verdict, or until one from before would not speak any more.
        """
        told: dict[Mark, bool] = {}
        for one in self._around(journey, now):
            mark, end = Mark(one.cause, one.mode, one.is_open), one.until
            if now < one.since - self._lead:
                continue
            if end is None or now < end or _awaits_verdict(journey, state, end, now):
                told[mark] = True
            elif now < end + fresh_for(journey.interval) + _TOLD_AS_OVER:
                told.setdefault(mark, False)
        return told

    def lingering(self, journey: Journey, state: JourneyState, now: float) -> Suspension | None:
        """Return the last that suspended a journey and is over, while no verdict is younger."""
        over = [
            one
            for one in self._around(journey, now)
            if one.until is not None
            and one.until <= now
            and _awaits_verdict(journey, state, one.until, now)
        ]
        return max(over, key=lambda one: one.until or 0.0, default=None)

    def known(self, journey: Journey, now: float) -> list[Suspension]:
        """List what has suspended a journey by now, the oldest first, as far as it is known."""
        found = (one for one in self._around(journey, now) if one.since <= now)
        return sorted(found, key=lambda one: one.since)

    def _around(self, journey: Journey, now: float) -> Iterator[Suspension]:
        """Yield everything that suspends a journey around now, over or to come."""
        for pause in self.pauses.over(journey.name):
            yield pause.over(journey.name)
        for window in self._windows:
            if window.covers(journey):
                turns = (window.latest(now), window.next(now))
                yield from (_turned(window, turn) for turn in turns if turn is not None)
        for window, turn in self._dropped:
            if window.covers(journey):
                yield _turned(window, turn)


def _awaits_verdict(journey: Journey, state: JourneyState, end: float, now: float) -> bool:
    """Whether no run that began after this end has told how the journey is, and one may."""
    began = state.verdict_began
    return now < end + fresh_for(journey.interval) and (began is None or began < end)


def _turned(window: Window, turn: Turn) -> Suspension:
    """Return what one turn of a window is to a journey."""
    told, cause = window.maintenance, Cause.MAINTENANCE
    return Suspension(cause, told.mode, told.reason, "", turn.begin, turn.end, is_open=False)
