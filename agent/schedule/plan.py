"""Plans: which slots a cadence has. Pure arithmetic, counted in whole milliseconds.

APScheduler's triggers step from one slot to the next. The cron trigger is asked in plain
local time (its time zone is UTC throughout) and the answer is placed on the real time line
here, because its own way through a change of the clocks is another than ours: a local time
that doesn't exist runs at the next instant that does, and one that comes twice runs once,
unless the line is like an interval and runs on through the hour that comes twice.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING, Protocol

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent.schedule.cron import CronLine, parse
from agent.schedule.local_time import LocalTime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from agent.core.model import Cadence

_REFERENCE_YEAR = date(2028, 1, 1)
"""The year in which a cron line's gaps are compared: a leap year, so 29 February is in it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Slots in a row: the times of the first and the last, and how many there are."""

    first: float
    last: float
    count: int


class Plan:
    """The slots of one journey at one location.

    Those of an interval lie at epoch + offset + k · interval, where the offset is a stable
    hash of ``key`` (journey, location), so that starts are spread and stay where they are.
    Those of a cron line lie on the line's own instants.

    Raises:
        ValueError: the cadence can't be understood; the text says which part of it.

    """

    def __init__(self, cadence: Cadence, key: tuple[str, str]) -> None:
        self._steps: _Steps
        if cadence.cron is not None:
            self._steps = _Cron(parse(cadence.cron), LocalTime(cadence.timezone))
        elif cadence.seconds is not None:
            self._steps = _Interval(cadence.seconds, key)
        else:
            raise ValueError("a cadence needs seconds or a cron line")

    def next(self, after: float) -> float:
        """Return the first slot later than ``after``. Unix seconds."""
        return next(self._steps.following(floor_ms(after))) / 1000

    def between(self, after: float, until: float, limit: int) -> list[float]:
        """List the slots in (after, until], the first ``limit`` of them. Unix seconds."""
        last = floor_ms(until)
        slots = takewhile(lambda slot: slot <= last, self._steps.following(floor_ms(after)))
        return [slot / 1000 for slot in islice(slots, limit)]

    def span(self, after: float, until: float) -> Span | None:
        """Sum up the slots in (after, until], without a list of them; None if there is none."""
        return self._steps.span(floor_ms(after), floor_ms(until))

    def interval(self) -> float:
        """Return the seconds between two slots; for a cron line the fewest within a year."""
        return self._steps.interval() / 1000


def interval_of(cadence: Cadence) -> float:
    """Return the shortest gap between two slots of a cadence, in seconds.

    Raises:
        ValueError: the cadence can't be understood; the text says which part of it.

    """
    return Plan(cadence, ("", "")).interval()


class _Steps(Protocol):
    def following(self, after: int) -> Iterator[int]: ...
    def span(self, after: int, until: int) -> Span | None: ...
    def interval(self) -> int: ...


class _Interval:
    def __init__(self, seconds: float, key: tuple[str, str]) -> None:
        self._length = round(seconds * 1000)
        if self._length < 1 or not math.isclose(self._length, seconds * 1000):
            raise ValueError(f"interval of {seconds} s: give a whole number of milliseconds")
        # Names hold no zero byte, so that each pair has a text of its own.
        digest = hashlib.sha256("\0".join(key).encode()).digest()
        self._offset = int.from_bytes(digest[:8]) % self._length
        self._trigger = IntervalTrigger(
            seconds=self._length / 1000, start_date=_as_utc(self._offset), timezone=UTC
        )

    def following(self, after: int) -> Iterator[int]:
        # Half a millisecond past ``after`` lies on no slot, so no rounding can name it again.
        start = _as_utc(after) + timedelta(microseconds=500)
        fire: datetime = self._trigger.get_next_fire_time(None, start)
        slot = round(fire.timestamp() * 1000)
        while True:
            yield slot
            slot += self._length

    def span(self, after: int, until: int) -> Span | None:
        first = next(self.following(after))
        if first > until:
            return None
        more = (until - first) // self._length
        return Span(first / 1000, (first + more * self._length) / 1000, more + 1)

    def interval(self) -> int:
        return self._length


class _Cron:
    def __init__(self, line: CronLine, clocks: LocalTime) -> None:
        self._line = line
        self._clocks = clocks
        days = _listed(line.days, 31)
        weekdays = _listed({(day - 1) % 7 for day in line.weekdays}, 7)  # 0 is its Monday
        if not line.either_day:
            choices = [(days, weekdays)]
        elif line.has_dates:
            choices = [(days, "*"), ("*", weekdays)]
        else:
            choices = [("*", weekdays)]
        self._triggers = [
            CronTrigger(
                minute=_listed(line.minutes, 60),
                hour=_listed(line.hours, 24),
                day=day,
                month=_listed(line.months, 12),
                day_of_week=weekday,
                timezone=UTC,
            )
            for day, weekday in choices
        ]

    def following(self, after: int) -> Iterator[int]:
        local, again = self._clocks.shown(after)
        if not again:
            # What clocks have shown once of an hour that comes twice is still to come again.
            local -= self._repeat(local)
        second: deque[int] = deque()
        while True:
            local = min(trigger.get_next_fire_time(None, local) for trigger in self._triggers)
            first = self._clocks.instant(local)
            while second and second[0] <= first:
                slot = second.popleft()
                if slot > after:
                    yield slot
                    after = slot
            # A gap leads twice to its end, and what lies back may have been.
            if first > after:
                yield first
                after = first
            repeat = self._repeat(local)
            if repeat:
                second.append(first + repeat // timedelta(milliseconds=1))
            local += timedelta(minutes=1)

    def _repeat(self, local: datetime) -> timedelta:
        """Return after how long the line fires for ``local`` once more; 0: it doesn't."""
        return self._clocks.repeat(local) if self._line.runs_on else timedelta(0)

    def span(self, after: int, until: int) -> Span | None:
        first = last = count = 0
        for slot in takewhile(lambda slot: slot <= until, self.following(after)):
            first, last, count = first or slot, slot, count + 1
        return Span(first / 1000, last / 1000, count) if count else None

    def interval(self) -> int:
        times = sorted(
            timedelta(hours=hour, minutes=minute)
            for hour in self._line.hours
            for minute in self._line.minutes
        )
        gaps = [(b - a) // timedelta(milliseconds=1) for a, b in pairwise(times)]
        slots: list[int] = []
        for number in range(366):
            day = _REFERENCE_YEAR + timedelta(days=number)
            if self._line.falls_on(day):
                midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
                # On a day of 24 hours the gaps are those of ``times``: only its ends matter.
                inner = times if self._clocks.changes_on(midnight) else (times[0], times[-1])
                slots.extend(self._clocks.instant(midnight + time) for time in inner)
        start = _REFERENCE_YEAR.toordinal() - date(1970, 1, 1).toordinal()
        following = self.following(slots[-1] if slots else start * 86_400_000)
        slots.extend(islice(following, 1 if slots else 2))
        gaps.extend(b - a for a, b in pairwise(slots) if b > a)
        return min(gaps)


def _listed(values: AbstractSet[int], of: int) -> str:
    return "*" if len(values) == of else ",".join(str(value) for value in sorted(values))


def _as_utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def floor_ms(seconds: float) -> int:
    """Return the last whole millisecond that, as a float of seconds, is not past ``seconds``."""
    nearest = round(seconds * 1000)
    return nearest if nearest / 1000 <= seconds else nearest - 1
