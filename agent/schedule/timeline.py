"""The schedule's own time: the wall clock, made to run forward only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.clock import Clock

_SLEWED_PACE = 0.9
"""Seconds a second while waiting for a wall clock that was set back."""


class Timeline:
    """Unix time for the schedule, from a wall clock that may be set either way.

    It is the wall clock's time, and follows it forward at once. Where the wall clock is set
    back, it goes on at nine tenths of the monotonic clock's pace until the wall clock has
    caught up (ten seconds for each second set back): no moment comes a second time, so no
    slot is offered again, and slots go on coming, a little apart.

    ``not_before`` is how far a former process of the same agent has decided (Unix seconds,
    None: nothing yet). Time starts there if the wall clock is behind it.
    """

    def __init__(self, clock: Clock, not_before: float | None = None) -> None:
        self._clock = clock
        self._monotonic = clock.monotonic()
        wall = clock.wall()
        self._now = wall if not_before is None else max(wall, not_before)

    def now(self) -> float:
        """Return Unix seconds, never less than before."""
        monotonic = self._clock.monotonic()
        least = self._now + (monotonic - self._monotonic) * _SLEWED_PACE
        self._monotonic = monotonic
        self._now = max(self._clock.wall(), least)
        return self._now

    def on_wall(self, at: float) -> float:
        """Return when a moment of this time is, or was, by the wall clock. Unix seconds.

        That is the moment itself unless the wall clock was set back: so what people are told
        of slots goes with the clock that they, and the runs, look at.
        """
        return at - self.ahead()

    def ahead(self) -> float:
        """Return the seconds by which this time is before the wall clock, which was set back."""
        return max(0.0, self.now() - self._clock.wall())
