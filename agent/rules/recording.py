"""Recording rules: counters that alerts can count with, and the success ratio of each journey."""

from __future__ import annotations

from typing import Final

from agent.core.beacon_report import BeaconAction
from agent.core.results import Result
from agent.rules import series
from agent.rules.objective import WINDOWS
from agent.rules.rule import Group, Recording
from agent.rules.series import by, gained, select

RUNS: Final = "footfall:journey_runs:total"
"""Runs of each journey, location, agent and result; from 0 on, through restarts and upgrades."""
ESCAPED: Final = "footfall:beacons_escaped:total"
DROPPED: Final = "footfall:spool_dropped:total"
AT_LOCATION: Final = "footfall:location_journeys:count"

_OF_JOURNEY: Final = (series.JOURNEY, series.SITE)
_SERIES: Final = (*_OF_JOURNEY, series.LOCATION, *series.INSTANCES)
_LONG: Final = 86_400
"""Windows from here on, in seconds, are evaluated less often."""
_MONTH: Final = "30d"

GOOD: Final = f"~{Result.PASS}|{Result.FLAKY}"
MEASURED: Final = f"~{Result.PASS}|{Result.FLAKY}|{Result.FAIL}"


def count(window: str) -> str:
    """Return the name of the series of runs within a window, by location and result."""
    return f"footfall:journey_runs:count_{window}"


def ratio(window: str) -> str:
    """Return the name of the success ratio within a window; nothing measured: no series."""
    return f"footfall:journey_success:ratio_{window}"


def ratio_at(window: str) -> str:
    """Return the name of the same for each location. There is none for windows of days."""
    return f"footfall:location_success:ratio_{window}"


def groups() -> tuple[Group, ...]:
    """Return what is recorded for all journeys, whatever their number."""
    short = [name for name, seconds in WINDOWS.items() if seconds < _LONG]
    long = [name for name in WINDOWS if name not in short]
    return (
        Group("footfall-totals", "15s", tuple(_totals())),
        Group("footfall-success", "30s", tuple(rule for name in short for rule in _window(name))),
        Group("footfall-success-long", "2m", tuple(r for name in long for r in _window(name))),
    )


def _totals() -> list[Recording]:
    # The greatest of those that differ in labels left out: for minutes after an upgrade, the
    # series of the old version is still there beside that of the new one. The gauge is there
    # before a first run is, so that the first failure is one more than 0.
    none = f"0 * max {by(_SERIES)} ({series.INTERVAL})"
    each_run = by((*_SERIES, series.ERROR_TYPE))
    each_beacon = by((*_SERIES, series.VENDOR))
    each_signal = by((series.SIGNAL, *series.INSTANCES))
    escaped = select(series.BEACONS, **{series.ACTION: BeaconAction.ESCAPED})
    return [
        *(
            Recording(
                RUNS,
                f"sum {by(_SERIES)} (max {each_run} ({select(series.RUNS, result=result)}))\n"
                f"or {none}",
                {series.RESULT: result},
            )
            for result in Result
        ),
        Recording(ESCAPED, f"sum {by(_SERIES)} (max {each_beacon} ({escaped}))\nor {none}"),
        Recording(
            DROPPED,
            f"max {each_signal} ({series.SPOOL_DROPPED})\n"
            f"or 0 * max {each_signal} ({series.SPOOL_ITEMS})",
        ),
        Recording(
            AT_LOCATION,
            f"count {by((series.LOCATION,))} "
            f"(max {by((series.LOCATION, series.JOURNEY))} ({series.INTERVAL}))",
        ),
    ]


def _window(window: str) -> list[Recording]:
    at_location = (*_OF_JOURNEY, series.LOCATION)
    if window == _MONTH:
        # From the quarters of its days: single samples would be much to read each time.
        grown = f"sum_over_time({count('6h')}[{window}:6h])"
    else:
        grown = f"sum {by((*at_location, series.RESULT))} ({gained(RUNS, window)})"
    rules = [
        Recording(count(window), grown),
        Recording(ratio(window), _ratio(window, by(_OF_JOURNEY))),
    ]
    if WINDOWS[window] < _LONG:
        rules.append(Recording(ratio_at(window), _ratio(window, by(at_location))))
    return rules


def _ratio(window: str, each: str) -> str:
    good = f"sum {each} ({select(count(window), result=GOOD)})"
    measured = f"sum {each} ({select(count(window), result=MEASURED)})"
    return f"{good}\n/ ({measured} > 0)"
