"""The figures of a journey: uptime over some days, and bars of hours and days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.runs.document import time
from agent.storage import rollups
from agent.storage.rollup import Rollup
from agent.storage.rollups import DAY, HOUR, begin_of
from agent.storage.tally import Bar, Tally, bar_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from agent.server.documents.shares import Bar as BarName
    from agent.server.documents.shares import (
        BarSpans,
        ShareDocument,
        SkippedDocument,
        StretchDocument,
        UptimeDocument,
    )
    from agent.storage.rollups import Counts, Key

HOURS = 24
"""Hours of which there are bars, and that count as a day."""
OVERVIEW_DAYS = 30
JOURNEY_DAYS = 90
_MAY_CHANGE = 3
"""Days, the newest, that slots may still end in."""
_UPTIME_DAYS = (7, 30, 90)
_MEDIAN, _P95 = 0.5, 0.95


@dataclass(frozen=True, slots=True)
class Spans:
    """The hours and days that lead up to a Unix time, the last of which goes on."""

    now: float

    def begin(self, length: int, count: int) -> int:
        """Return when the first of the last so many stretches begins."""
        return begin_of(self.now, length) - (count - 1) * length

    def begins(self, length: int, count: int) -> range:
        """Return when each of them does."""
        return range(self.begin(length, count), begin_of(self.now, length) + 1, length)

    def around(self, length: int, count: int) -> tuple[float, float]:
        """Return from and before which Unix times they begin."""
        return self.begin(length, count), begin_of(self.now, length) + length


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of one journey wherever it stands."""

    hours: list[BarName]
    """The last 24, the newest last."""
    days: list[BarName]
    """The last 90, the newest last."""
    day: Tally
    """The last 24 hours."""
    uptime: list[UptimeDocument]
    """Over 24 hours and over some days."""
    skipped: list[SkippedDocument]
    """In the last 24 hours, by reason, that of the newest first."""


@dataclass(frozen=True, slots=True)
class _Past:
    """What days that are long over came to: it never changes."""

    bars: list[BarName]
    """Of the last 90, but the newest."""
    sums: Mapping[int, Tally]


class FiguresReader:
    """Reads the figures of journeys: those of which anything has changed since they were read.

    Of these, what is long over is read once a day: slots that were missed are skipped a day later
    at most, so three days may still change.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._past: tuple[int, dict[str, _Past]] = (0, {})
        """By name, of the day that begins then; used on the reader's thread alone, as below."""
        self._known: dict[str, tuple[tuple[int, int], Figures]] = {}
        """By name, with the version that they are of, and the hour that began then."""

    def read(
        self, connection: sqlite3.Connection, names: Iterable[str], spans: Spans
    ) -> dict[str, Figures]:
        """Return the figures of these journeys, by name."""
        today = begin_of(spans.now, DAY)
        if self._past[0] != today:
            self._past = (today, {})
        hour, versions = begin_of(spans.now, HOUR), rollups.versions(connection, self._location)
        found = {}
        for name in names:
            of = versions.get(name, 0), hour
            known, figures = self._known.get(name, (None, None))
            if figures is None or known != of:
                figures = self._of(connection, name, spans)
                self._known[name] = of, figures
            found[name] = figures
        return found

    def _of(self, connection: sqlite3.Connection, name: str, spans: Spans) -> Figures:
        key = name, self._location
        past = self._past[1].get(name)
        if past is None:
            past = self._past[1][name] = self._read_past(connection, key, spans)
        around = spans.around(HOUR, HOURS)
        hours = rollups.counts(connection, key, HOUR, around)
        days = rollups.counts(connection, key, DAY, spans.around(DAY, _MAY_CHANGE))
        day, lately = Tally.of_all(hours.values()), Tally.of_all(days.values())
        skipped = rollups.skips(connection, key, HOUR, around) if day.skipped else []
        return Figures(
            _bars(hours, spans.begins(HOUR, HOURS)),
            [*past.bars, *_bars(days, spans.begins(DAY, _MAY_CHANGE))],
            day,
            _uptimes(day, {days: sum_ + lately for days, sum_ in past.sums.items()}, spans),
            [
                {"reason": reason, "count": count, "last_at": time(last)}
                for reason, count, last in skipped
            ],
        )

    @staticmethod
    def _read_past(connection: sqlite3.Connection, key: Key, spans: Spans) -> _Past:
        recent = spans.begin(DAY, _MAY_CHANGE)
        days = rollups.counts(connection, key, DAY, (spans.begin(DAY, JOURNEY_DAYS), recent))
        sums = {
            count: Tally.of_all(some for at, some in days.items() if at >= spans.begin(DAY, count))
            for count in _UPTIME_DAYS
        }
        return _Past(_bars(days, range(spans.begin(DAY, JOURNEY_DAYS), recent, DAY)), sums)


def _uptimes(day: Tally, sums: Mapping[int, Tally], spans: Spans) -> list[UptimeDocument]:
    of_days = [_uptime(tally, days, spans.begin(DAY, days)) for days, tally in sums.items()]
    return [_uptime(day, 1, spans.begin(HOUR, HOURS)), *of_days]


def share(tally: Tally) -> ShareDocument:
    """Return uptime, and what it stands on."""
    return {"slots": tally.slots, "uptime": tally.uptime, "measured": tally.measured}


def bar_spans(spans: Spans, days: int) -> BarSpans:
    """Return when the bars of the overview begin, where it has so many days."""
    return {
        "hours": time(spans.begin(HOUR, HOURS)),
        "days": time(spans.begin(DAY, days)),
    }


def stretches(
    found: Mapping[int, Rollup], length: int, count: int, spans: Spans
) -> list[StretchDocument]:
    """Return each of the last so many hours or days, the newest last."""
    return [_stretch(found.get(at) or Rollup(), at) for at in spans.begins(length, count)]


def _uptime(tally: Tally, days: int, since: float) -> UptimeDocument:
    return {
        **share(tally),
        "days": days,
        "since": time(since),
        "passed": tally.passed,
        "flaky": tally.flaky,
        "failed": tally.failed,
        "not_measured": tally.not_measured,
        "skipped": tally.skipped,
        "slow": tally.slow,
        "silenced": tally.silenced,
    }


def _bars(found: Mapping[int, Counts], begins: range) -> list[BarName]:
    return [bar_of(found[at]).value if at in found else Bar.UNKNOWN.value for at in begins]


def _stretch(rollup: Rollup, at: int) -> StretchDocument:
    tally = rollup.tally
    return {
        **share(tally),
        "at": time(at),
        "bar": tally.bar.value,
        "passed": tally.passed,
        "flaky": tally.flaky,
        "failed": tally.failed,
        "not_measured": tally.not_measured,
        "skipped": dict(rollup.skipped),
        "suspended": tally.suspended,
        "silenced": tally.silenced,
        "slow": tally.slow,
        "median": rollup.took(_MEDIAN),
        "p95": rollup.took(_P95),
    }
