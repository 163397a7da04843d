"""The figures of a journey: uptime over some days, and bars of hours and days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.runs.document import time
from agent.storage import rollups
from agent.storage.rollup import Rollup
from agent.storage.rollups import DAY, HOUR, begin_of
from agent.storage.tally import Tally

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from agent.server.documents import (
        Bar,
        BarsDocument,
        BarSpans,
        ShareDocument,
        SkippedDocument,
        StretchDocument,
        UptimeDocument,
    )

HOURS = 24
"""Hours of which there are bars, and that count as a day."""
OVERVIEW_DAYS = 30
JOURNEY_DAYS = 90
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
    """What the overview tells of one journey."""

    hours: Mapping[int, Tally]
    days: Mapping[int, Tally]
    sums: Mapping[int, Tally]
    """Over so many days."""

    @property
    def day(self) -> Tally:
        """The last 24 hours."""
        return sum(self.hours.values(), Tally())


def of_all(
    connection: sqlite3.Connection, location: str, journeys: Sequence[str], spans: Spans
) -> dict[str, Figures]:
    """Return the figures of these journeys, by name."""
    hours = rollups.tallies(connection, location, journeys, HOUR, spans.around(HOUR, HOURS))
    around = spans.around(DAY, OVERVIEW_DAYS)
    days = rollups.tallies(connection, location, journeys, DAY, around)
    sums = {
        count: rollups.sums(connection, location, journeys, DAY, spans.around(DAY, count))
        for count in _UPTIME_DAYS
    }
    return {
        name: Figures(
            hours[name], days[name], {count: found[name] for count, found in sums.items()}
        )
        for name in journeys
    }


def uptimes(figures: Figures, spans: Spans) -> list[UptimeDocument]:
    """Return uptime over 24 hours and over some days."""
    of_days = [
        _uptime(tally, count, spans.begin(DAY, count)) for count, tally in figures.sums.items()
    ]
    return [_uptime(figures.day, 1, spans.begin(HOUR, HOURS)), *of_days]


def share(tally: Tally) -> ShareDocument:
    """Return uptime, and what it stands on."""
    return {"slots": tally.slots, "uptime": tally.uptime, "measured": tally.measured}


def bar_spans(spans: Spans) -> BarSpans:
    """Return when the bars of the overview begin."""
    return {
        "hours": time(spans.begin(HOUR, HOURS)),
        "days": time(spans.begin(DAY, OVERVIEW_DAYS)),
    }


def bars(figures: Figures, spans: Spans) -> BarsDocument:
    """Return the bars of the overview."""
    return {
        "hours": _bars(figures.hours, spans.begins(HOUR, HOURS)),
        "days": _bars(figures.days, spans.begins(DAY, OVERVIEW_DAYS)),
    }


def stretches(
    found: Mapping[int, Rollup], length: int, count: int, spans: Spans
) -> list[StretchDocument]:
    """Return each of the last so many hours or days, the newest last."""
    return [_stretch(found.get(at) or Rollup(), at) for at in spans.begins(length, count)]


def skipped(of: Iterable[Rollup]) -> list[SkippedDocument]:
    """Return the slots that were skipped, by reason, that of the newest first."""
    together = Rollup()
    for one in of:
        together.add(one)
    newest = sorted(together.skipped, key=together.skipped_at.__getitem__, reverse=True)
    return [
        {
            "reason": reason,
            "count": together.skipped[reason],
            "last_at": time(together.skipped_at[reason]),
        }
        for reason in newest
    ]


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


def _bars(found: Mapping[int, Tally], begins: range) -> list[Bar]:
    nothing = Tally()
    return [found.get(at, nothing).bar.value for at in begins]


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
