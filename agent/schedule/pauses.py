"""Pauses: what people have suspended, until when, and what they have let go again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.core.suspension import Cause, Mode, Suspension

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_REMEMBERED = 31 * 86_400.0
"""Seconds for which a pause that is over is known: rules wait for a verdict after it."""
_MOST_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Pause:
    """What one command suspended. Times are Unix seconds."""

    id: str
    journeys: tuple[str, ...] | None
    """None: all of them, those that are loaded later too."""
    mode: Mode
    reason: str
    who: str
    since: float
    until: float | None
    """None: until somebody resumes them."""
    ended: float | None = None
    """When all that was left of it was resumed; None: it wasn't."""
    resumed: dict[str, float] = field(default_factory=dict)
    """The journeys that were resumed out of it, and when each was."""
    now: bool = False
    """Whether what ran when it was set was to be ended as well."""

    def names(self, journey: str) -> bool:
        """Whether it suspends, or has suspended, a journey."""
        return self.journeys is None or journey in self.journeys

    def end_of(self, journey: str) -> float | None:
        """Return when it ends, or ended, for a journey; None: when somebody resumes it."""
        ends = (self.until, self.ended, self.resumed.get(journey))
        return min((end for end in ends if end is not None), default=None)

    def holds(self, journey: str, now: float) -> bool:
        """Whether it suspends a journey now."""
        if not self.names(journey) or self.ended is not None or journey in self.resumed:
            return False
        return self.until is None or now < self.until

    def is_over(self, now: float) -> bool:
        """Whether it suspends nothing any more."""
        return self.ended is not None or (self.until is not None and self.until <= now)

    def was_over(self, before: float) -> bool:
        """Whether it had ended for all of its journeys by a moment of the past."""
        return any(end is not None and end <= before for end in (self.until, self.ended))

    def over(self, journey: str) -> Suspension:
        """Return what it is to one journey."""
        end, is_open = self.end_of(journey), self.until is None
        return Suspension(
            Cause.PAUSE, self.mode, self.reason, self.who, self.since, end, is_open=is_open
        )


class Pauses:
    """All pauses that hold, and those that are over but not yet forgotten, oldest first."""

    def __init__(self, known: Iterable[Pause] = ()) -> None:
        self._known = tuple(known)

    @property
    def known(self) -> tuple[Pause, ...]:
        """Every one of them."""
        return self._known

    def in_force(self, now: float) -> list[Pause]:
        """List those that suspend something now."""
        return [pause for pause in self._known if not pause.is_over(now)]

    def over(self, journey: str) -> list[Pause]:
        """List those that suspend, or have suspended, a journey."""
        return [pause for pause in self._known if pause.names(journey)]

    def set(self, pause: Pause) -> None:
        """Add one; those before it go on."""
        since = pause.since - _REMEMBERED
        recent = [one for one in self._known if not one.was_over(since)]
        over = [one for one in recent if one.is_over(pause.since)]
        forgotten = {one.id for one in over[:-_MOST_REMEMBERED]}
        self._known = (*(one for one in recent if one.id not in forgotten), pause)

    def keep(self, known: Iterable[Pause]) -> None:
        """Go by these from now on."""
        self._known = tuple(known)

    def merge(self, others: Iterable[Pause]) -> list[Pause]:
        """Take in what others know: the pauses, and what was resumed; return the new ones.

        It comes to the same whoever takes in whose, in which order, and how often.
        """
        known = {pause.id: pause for pause in self._known}
        new = []
        for pause in others:
            if pause.id in known:
                known[pause.id] = _both(known[pause.id], pause)
            else:
                known[pause.id] = pause
                new.append(pause)
        self._known = tuple(sorted(known.values(), key=lambda one: (one.since, one.id)))
        return new

    def settle(self, now: float) -> None:
        """Take what was set or resumed later than now for done now: the clock was set back."""
        self._known = tuple(
            replace(
                pause,
                since=min(pause.since, now),
                ended=None if pause.ended is None else min(pause.ended, now),
                resumed={name: min(at, now) for name, at in pause.resumed.items()},
            )
            for pause in self._known
        )

    def resume(self, journeys: Collection[str] | None, now: float) -> list[Pause]:
        """Have every pause let these journeys go (None: all); return those that did, as they are.

        One that suspends all others goes on doing so. A pause of which nothing is left is over.
        """
        changed: list[Pause] = []
        after: list[Pause] = []
        for pause in self._known:
            resumed = _without(pause, journeys, now)
            after.append(resumed)
            if resumed is not pause:
                changed.append(resumed)
        self._known = tuple(after)
        return changed


def _both(one: Pause, other: Pause) -> Pause:
    """Return a pause of which two tell what was resumed."""
    ends = [end for end in (one.ended, other.ended) if end is not None]
    resumed = {**one.resumed}
    for name, at in other.resumed.items():
        resumed[name] = min(at, resumed.get(name, at))
    since = min(one.since, other.since)
    return replace(one, since=since, ended=min(ends, default=None), resumed=resumed)


def _without(pause: Pause, journeys: Collection[str] | None, now: float) -> Pause:
    """Return a pause that lets these journeys go; itself where it held none of them."""
    if pause.is_over(now):
        return pause
    if journeys is None:
        return replace(pause, ended=now)
    let_go = {name: now for name in journeys if pause.holds(name, now)}
    if not let_go:
        return pause
    resumed = {**pause.resumed, **let_go}
    left = pause.journeys is None or any(name not in resumed for name in pause.journeys)
    return replace(pause, resumed=resumed, ended=None if left else now)
