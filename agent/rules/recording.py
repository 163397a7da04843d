"""Recording rules: counters that alerts can count with, and each journey's success ratio.

The ratio counts every run of the schedule. Alerts go by what is left without the runs that ended
while their journey was suspended: paused, or in a maintenance window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.core.beacon_report import BeaconAction
from agent.core.errors import ErrorType
from agent.core.results import Result
from agent.rules import hearing, series
from agent.rules.objective import WINDOWS
from agent.rules.rule import Group, Recording
from agent.rules.series import by, increase, on

if TYPE_CHECKING:
    from agent.rules.subject import Watch

RUNS: Final = "footfall:journey_runs:total"
"""Runs of each journey, location, agent and result; from 0 on, through restarts and upgrades."""
SUSPENDED_RUNS: Final = "footfall:journey_runs:suspended"
"""Of ``RUNS``, those that ended while the journey was suspended; from its first suspension on."""
WATCHED_RUNS: Final = "footfall:journey_runs:watched"
"""The others."""
ESCAPED: Final = "footfall:beacons_escaped:total"
CHALLENGED: Final = "footfall:journey_challenged:total"
"""Of ``RUNS``, those in which the agent was taken for a bot."""
DROPPED: Final = "footfall:spool_dropped:total"
"""What each agent lost of each signal; from 0 on where the agent is new."""
OPEN: Final = "footfall:journey_suspended:open"
"""1 while a journey is paused without an end, else 0."""
ANY: Final = "footfall:journey_suspended:any"
"""1 while it is suspended in any way, else 0."""
PAUSED_LONG: Final = "footfall:journey_suspended:long"
"""1 once one of these has gone on for too long."""
_OF_JOURNEY: Final = (series.ENVIRONMENT, series.JOURNEY, series.SITE)
_SERIES: Final = (*_OF_JOURNEY, series.LOCATION, *series.INSTANCES)
_EACH: Final = (*_OF_JOURNEY, series.LOCATION)
_LONG: Final = 86_400
"""Windows from here on, in seconds, are evaluated less often."""
_MONTH: Final = "30d"
_NEW_SLOTS: Final = 2
_NEW_SECONDS: Final = 300
"""Up to so many slots, or slots of so many seconds, a journey has no past."""

_OPEN_FOR: Final = "1d"
_SUSPENDED_FOR: Final = "7d"

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


def watched(window: str) -> str:
    """Return the name of the series of runs that alerts count, by location and result."""
    return f"footfall:journey_runs:watched_{window}"


def failures(window: str) -> str:
    """Return the name of the share of those that failed; nothing measured: no series."""
    return f"footfall:journey_failures:ratio_{window}"


def failures_at(window: str) -> str:
    """Return the name of the same for each location. There is none for windows of days."""
    return f"footfall:location_failures:ratio_{window}"


def groups(watch: Watch) -> tuple[Group, ...]:
    """Return what is recorded for all journeys, whatever their number."""
    short = [name for name, seconds in WINDOWS.items() if seconds < _LONG]
    long = [name for name in WINDOWS if name not in short]
    return (
        Group("footfall-totals", "15s", tuple(_totals(watch))),
        Group("footfall-suspended", "2m", tuple(_long_pauses(watch))),
        Group(
            "footfall-success",
            "30s",
            tuple(rule for name in short for rule in _window(watch, name)),
        ),
        Group(
            "footfall-success-long", "2m", tuple(r for name in long for r in _window(watch, name))
        ),
    )


def _totals(watch: Watch) -> list[Recording]:
    # The greatest of those that differ in labels left out: for minutes after an upgrade, the
    # series of the old version is still there beside that of the new one.
    each_run = by((*_SERIES, series.ERROR_TYPE))
    each_beacon = by((*_SERIES, series.VENDOR))
    escaped = watch.of(series.BEACONS, **{series.ACTION: BeaconAction.ESCAPED})
    not_measured = {series.RESULT: Result.NOT_MEASURED, series.ERROR_TYPE: ErrorType.CHALLENGED}
    challenged = watch.of(series.RUNS, **not_measured)
    return [
        *(
            _from_zero(
                watch,
                RUNS,
                f"sum {by(_SERIES)} (max {each_run} ({watch.of(series.RUNS, result=result)}))",
                result,
            )
            for result in Result
        ),
        *_watched(watch),
        _from_zero(watch, ESCAPED, f"sum {by(_SERIES)} (max {each_beacon} ({escaped}))"),
        _from_zero(watch, CHALLENGED, f"max {by(_SERIES)} ({challenged})"),
        _dropped(watch),
        *hearing.recordings(watch),
    ]


def _watched(watch: Watch) -> list[Recording]:
    """Record the runs that alerts count: their number stands still while a journey is suspended.

    What it was before a suspension is looked up in what is recorded here, so that it matters
    little how old that is.
    """
    runs = watch.of(RUNS, result=MEASURED)
    before = watch.of(WATCHED_RUNS)
    left_out = watch.of(SUSPENDED_RUNS)
    suspended = f"max {by(_EACH)} ({watch.of(series.SUSPENDED)}) == 1"
    return [
        Recording(
            SUSPENDED_RUNS,
            f"({runs} - {before} and {on(_EACH)} {suspended})\nor last_over_time({left_out}[1d])",
        ),
        Recording(
            WATCHED_RUNS,
            f"({before} and {on(_EACH)} {suspended})\nor {runs} - {left_out}\nor {runs}",
        ),
    ]


def _long_pauses(watch: Watch) -> list[Recording]:
    """Record which suspensions go on for too long, through restarts and changes of their kind."""
    none = f"0 * max {by(_EACH)} ({watch.of(series.INTERVAL)})"
    rules = []
    found = []
    for record, matchers, bound in (
        (OPEN, {series.END: "open"}, _OPEN_FOR),
        (ANY, {}, _SUSPENDED_FOR),
    ):
        suspended = f"max {by(_EACH)} ({watch.of(series.SUSPENDED, **matchers)})"
        rules.append(Recording(record, f"{suspended}\nor {none}"))
        kept = watch.of(record)
        found.append(
            f"(\n"
            f"  min_over_time({kept}[{bound}]) == 1\n"
            f"  and last_over_time({kept}[1h] offset {bound})\n"
            f"  and {kept}\n"
            f")"
        )
    return [*rules, Recording(PAUSED_LONG, "\nor\n".join(found))]


def _from_zero(watch: Watch, record: str, counter: str, result: str = "") -> Recording:
    """Record a counter so that it begins with 0, before its first event.

    The gauge is there before a first run is, as a rule. Where both come at once, 0 is what a
    journey without a past had; with one, it may be the rules or the store that are new.
    """
    labels = {series.RESULT: result} if result else {}
    slots = f"max {by(_SERIES)} ({watch.of(series.EXPECTED)})"
    gap = f"max {by(_SERIES)} ({watch.of(series.INTERVAL)})"
    return Recording(
        record,
        f"(\n"
        f"  {counter}\n"
        f"  unless {on(_SERIES)} (\n"
        f"    ({slots} <= {_NEW_SLOTS} or {slots} * {gap} <= {_NEW_SECONDS})\n"
        f"    unless {on(_SERIES)} last_over_time({watch.of(record, **labels)}[1d])\n"
        f"  )\n"
        f")\n"
        f"or 0 * {gap}",
        labels,
    )


def _dropped(watch: Watch) -> Recording:
    """Record what was lost so that it begins with 0 where the agent has no past.

    The first collection may be what was lost, so that the first sample of the counter is above
    0. An agent with a past may have lost as much long ago, and the rules or the store be new.
    """
    agent = (series.ENVIRONMENT, *series.INSTANCES)
    signal = (*agent, series.SIGNAL)
    dropped = f"max {by(signal)} ({watch.of(series.SPOOL_DROPPED)})"
    slots = f"max {by(_SERIES)} ({watch.of(series.EXPECTED)})"
    gap = f"max {by(_SERIES)} ({watch.of(series.INTERVAL)})"
    return Recording(
        DROPPED,
        f"(\n"
        f"  {dropped}\n"
        f"  and {on(agent)} ({slots} > {_NEW_SLOTS} and {slots} * {gap} > {_NEW_SECONDS})\n"
        f")\n"
        f"or ({dropped} and {on(signal)} last_over_time({watch.of(DROPPED)}[1d]))\n"
        f"or 0 * max {by(signal)} ({watch.of(series.SPOOL_ITEMS)})",
    )


def _window(watch: Watch, window: str) -> list[Recording]:
    grown = f"sum {by((*_EACH, series.RESULT))} ({increase(watch.of(RUNS), window)})"
    if window == _MONTH:
        # From the quarters of its days: single samples would be much to read each time.
        grown = f"sum_over_time({watch.of(count('6h'))}[{window}:6h])"
    rules = [
        Recording(count(window), grown),
        Recording(ratio(window), _ratio(watch, count(window), GOOD, by(_OF_JOURNEY))),
    ]
    if window == _MONTH:
        return rules
    measured = watch.of(count(window), result=MEASURED)
    suspended = increase(watch.of(SUSPENDED_RUNS), window)
    rules += [
        Recording(
            watched(window),
            f"{measured} - sum {by((*_EACH, series.RESULT))} ({suspended})\nor {measured}",
        ),
        Recording(failures(window), _ratio(watch, watched(window), Result.FAIL, by(_OF_JOURNEY))),
    ]
    if WINDOWS[window] < _LONG:
        rules += [
            Recording(ratio_at(window), _ratio(watch, count(window), GOOD, by(_EACH))),
            Recording(failures_at(window), _ratio(watch, watched(window), Result.FAIL, by(_EACH))),
        ]
    return rules


def _ratio(watch: Watch, counted: str, results: str, each: str) -> str:
    part = f"sum {each} ({watch.of(counted, result=results)})"
    measured = f"sum {each} ({watch.of(counted, result=MEASURED)})"
    return f"{part}\n/ ({measured} > 0)"
