"""Cron lines, read into plain sets of numbers.

Five fields: minute, hour, day of month, month, weekday. Each is a list of ``*``, ``5``,
``1-5``, ``*/15``, ``10-50/20`` or ``10/20`` (from 10 on); months and weekdays have English
names of three letters. Weekday 0 and 7 are Sunday. As in every cron, a line that restricts
both the day of the month and the weekday means the days on which either fits, and a line that
is like an interval, with a star in the minutes and every hour, doesn't rest while clocks that
are set back show an hour for the second time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

_ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)
_EVERY_FEW_MINUTES = re.compile(r"(\*|0-59)(/\d+)?")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        values: set[int] = set()
        for item in text.split(","):
            match = _ITEM.fullmatch(item)
            if match is None:
                raise self._error(f'"{item}" is not "*", a value, a range "a-b" or a step "a-b/n"')
            values.update(self._span(item, match["first"], match["last"], match["step"]))
        return frozenset(values)

    def _span(self, item: str, first: str | None, last: str | None, step: str | None) -> range:
        low = self.lowest if first is None else self._value(first)
        if last is not None:
            high = self._value(last)
            if last.lower() == "sun" and low > 0:
                high = 7  # as in "fri-sun"
        else:
            high = max(low, self.highest) if first is None or step else low
        if high < low:
            raise self._error(
                f'the range "{item}" runs backwards: give its two parts with a comma between'
            )
        if step is not None and int(step) == 0:
            raise self._error(f'the step of "{item}" is 0: give 1 or more')
        return range(low, high + 1, int(step or 1))

    def _value(self, text: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.lowest
        highest = 7 if self.name == "weekday" else self.highest
        if not text.isdigit():
            known = f" or one of {', '.join(self.names)}" if self.names else ""
            raise self._error(f'"{text}" is not a number{known}')
        if not self.lowest <= int(text) <= highest:
            raise self._error(f"{text} is not within {self.lowest}-{highest}")
        return int(text)

    def _error(self, message: str) -> ValueError:
        return ValueError(f"{self.name}: {message}")


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field(
        "month",
        1,
        12,
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ),
    _Field("weekday", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


@dataclass(frozen=True, slots=True)
class CronLine:
    """A cron line that was understood: the values of each field.

    ``weekdays`` holds 0 (Sunday) to 6. ``either_day`` tells whether a day needs to fit only
    one of ``days`` and ``weekdays``; ``runs_on``, whether a local time that comes twice fires
    twice.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    runs_on: bool

    def falls_on(self, day: date) -> bool:
        """Whether the line fires on this day of the local calendar."""
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        fits = by_date or by_weekday if self.either_day else by_date and by_weekday
        return fits and day.month in self.months

    @property
    def has_dates(self) -> bool:
        """Whether any month of the line has any of its days (30 February has none)."""
        return any(min(self.days) <= _LONGEST_MONTHS[month - 1] for month in self.months)


def parse(text: str) -> CronLine:
    """Read a cron line.

    Raises:
        ValueError: it isn't one, or names a date that never comes; the text names the field.

    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f'cron line "{text}": it has {len(fields)} fields, but needs 5: '
            "minute, hour, day of month, month, weekday"
        )
    try:
        values = [field.read(part) for field, part in zip(_FIELDS, fields, strict=True)]
    except ValueError as error:
        raise ValueError(f'cron line "{text}", {error}') from None
    minutes, hours, days, months, weekdays = values
    # A field that begins with a star is not a restriction, even with a step: cron(5).
    either_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    runs_on = bool(_EVERY_FEW_MINUTES.fullmatch(fields[0])) and len(hours) == 24
    line = CronLine(
        minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either_day, runs_on
    )
    if not either_day and not line.has_dates:
        raise ValueError(
            f'cron line "{text}", day of month: no month it names has such a day, '
            "so it would never fire"
        )
    return line
