"""Alerts of what is wrong with the target: it fails, it fails too often, it is slow or flaky."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.core.results import Result
from agent.core.slowness import SHOWN_FROM
from agent.core.units import format_duration
from agent.rules import newest, recording, series, suspended
from agent.rules.objective import FAST, SLOW, WINDOWS, fitting
from agent.rules.series import by, increase
from agent.rules.subject import EACH, ON_EACH, ON_WHOLE, TICKET, WHOLE

if TYPE_CHECKING:
    from agent.rules.objective import Burn
    from agent.rules.rule import Alert
    from agent.rules.subject import Subject

_FAILED_AT_LEAST: Final = 3
"""Failed runs within the long window before a burning budget is worth a word."""
_FLAKY_AT_LEAST: Final = 3
_FLAKY_SHARE: Final = 0.1
_SLOW: Final = 0.75
"""Share of the time-out that 95 % of the passes should stay below."""
_SLOW_RUNS: Final = 40
_SLOW_RUNS_AT_LEAST: Final = 10


def down(subject: Subject) -> tuple[Alert, Alert]:
    """Return those of a journey that fails for most locations, and for the fewer ones."""
    runs = subject.journey.down_after
    in_a_row = newest.failures_in_a_row(subject.of)
    failing = f"{in_a_row} >= {runs}"
    most = f"{ON_WHOLE}\n(\n  count {WHOLE} ({failing})\n  > 0.5 * count {WHOLE} ({in_a_row})\n)"
    return (
        subject.alert(
            "JourneyDown",
            f"{failing}\nand {most}",
            subject.severity,
            "{{ $value }} confirmed failures in a row at {{ $labels.location }}"
            if subject.journey.confirm
            else "{{ $value }} failures in a row at {{ $labels.location }}",
            "It fails at more than half of the locations that measure it. " + subject.evidence(),
        ),
        subject.alert(
            "RegionalFailure",
            f"{failing}\nunless {most}",
            TICKET,
            "{{ $value }} failures in a row at {{ $labels.location }}, while most are well",
            "Most locations that measure it find it in order: suspect the way from "
            "{{ $labels.location }} to the site, or what serves that region. " + subject.evidence(),
        ),
    )


def budget(subject: Subject) -> tuple[Alert, ...]:
    """Return those of an error budget that burns too fast, as far as its runs can show it."""
    found = []
    for name, burns, severity, quorum in (
        ("ErrorBudgetBurnFast", FAST, subject.severity, True),
        ("ErrorBudgetBurnSlow", SLOW, TICKET, False),
    ):
        fit = fitting(burns, subject.journey.interval)
        if fit:
            found.append(
                subject.alert(
                    name,
                    "\nor\n".join(_burns(subject, burn, quorum=quorum) for burn in fit),
                    severity,
                    "{{ $value | humanizePercentage }} of its runs fail",
                    f"Its objective is {subject.watch.objective:g} % over 30 days, and what may "
                    "fail in that time is being used up too fast. " + subject.evidence(),
                )
            )
    return tuple(found)


def _burns(subject: Subject, burn: Burn, *, quorum: bool) -> str:
    most = f"{burn.share(subject.watch.objective):g}"
    whole = f"{subject.of(recording.failures(burn.long))} > {most}"
    # A location speaks once its short window lies after what suspended the journey there.
    waits = suspended.within(subject.of, WINDOWS[burn.short])
    if quorum:
        # As for an outage: what one location alone sees, now or until a while ago, is no page.
        long = subject.of(recording.failures_at(burn.long))
        short = subject.of(recording.failures_at(burn.short))
        still = (
            f"{ON_WHOLE} (\n"
            f"    count {WHOLE} (\n"
            f"      {long} > {most}\n"
            f"      and {short} > {most}\n"
            f"      unless {ON_EACH} {waits}\n"
            f"    )\n"
            f"    > 0.5 * count {WHOLE} ({long} unless {ON_EACH} {waits})\n"
            f"  )"
        )
    else:
        lately = subject.of(recording.watched(burn.short), result=Result.FAIL)
        still = (
            f"{subject.of(recording.failures(burn.short))} > {most}\n"
            f"  and {ON_WHOLE} sum {WHOLE} ({lately} unless {ON_EACH} {waits}) > 0"
        )
    failed = subject.of(recording.watched(burn.long), result=Result.FAIL)
    return (
        f"(\n"
        f"  {whole}\n"
        f"  and {still}\n"
        f"  and {ON_WHOLE} sum {WHOLE} ({failed}) >= {_FAILED_AT_LEAST}\n"
        f")"
    )


def slow(subject: Subject) -> Alert:
    """Return the one of a journey that is too slow: by the limits it has, or else its time-out."""
    if not subject.journey.has_limits:
        return _close_to_timeout(subject)
    return subject.alert(
        "JourneySlow",
        f"{newest.slow_in_a_row(subject.of)} >= {SHOWN_FROM}",
        TICKET,
        "{{ $value }} slow passes in a row at {{ $labels.location }}",
        "It works, and it or one of its steps takes longer than its limit allows. "
        + subject.history(Result.PASS),
    )


def _close_to_timeout(subject: Subject) -> Alert:
    bound = _slow_bound(subject)
    seconds = subject.seconds(1_800, _SLOW_RUNS)
    window = format_duration(seconds)
    passes = subject.of(series.DURATION_BUCKETS, result=Result.PASS)
    counted = subject.of(series.DURATION_COUNT, result=Result.PASS)
    each = by((series.ENVIRONMENT, series.JOURNEY, series.SITE, series.LOCATION, "le"))
    timeout = format_duration(subject.journey.timeout)
    return subject.alert(
        "JourneySlow",
        f"histogram_quantile(0.95, sum {each} (rate({passes}[{window}]))) > {bound:g}\n"
        f"and sum {EACH} (increase({counted}[{window}])) >= {_SLOW_RUNS_AT_LEAST}\n"
        f"unless {ON_EACH} {suspended.within(subject.of, seconds)}",
        TICKET,
        "5 % of its passes take {{ $value | humanizeDuration }} or longer at "
        "{{ $labels.location }}",
        f"More than {bound:g} s, and it fails at its time-out of {timeout}. Its steps' times "
        "stand in footfall_step_duration_seconds and in the runs' traces.",
        wait=subject.window(600, 3),
    )


def _slow_bound(subject: Subject) -> float:
    # A quantile is exact at a bucket's boundary alone; between two it is a guess.
    timeout = subject.journey.timeout
    below = [bound for bound in subject.watch.boundaries if bound < timeout]
    return min(below, key=lambda bound: abs(bound - _SLOW * timeout), default=_SLOW * timeout)


def flaky(subject: Subject) -> Alert:
    """Return the one of a journey that often passes at the second attempt only."""
    window = subject.window(21_600, 20)
    often = _watched(subject, window, Result.FLAKY)
    return subject.alert(
        "Flaky",
        f"{often} >= {_FLAKY_AT_LEAST}\n"
        f"and {often}\n"
        f"  > {_FLAKY_SHARE:g} * {_watched(subject, window, recording.MEASURED)}\n"
        f"and {ON_WHOLE} (\n"
        f"  max {EACH} ({subject.of(series.INTERVAL)})\n"
        f"  unless {ON_EACH} {suspended.now(subject.of)}\n"
        f")",
        TICKET,
        "{{ $value }} runs passed at the second attempt only",
        f"More than a tenth of the runs of the last {window}. Some customers see what the "
        "first attempt saw. " + subject.history(Result.FLAKY),
    )


def _watched(subject: Subject, window: str, results: str) -> str:
    """Write how many runs had one of these results, without those of a suspended journey."""
    runs, left_out = (
        f"sum {WHOLE} ({increase(subject.of(counter, result=results), window)})"
        for counter in (recording.RUNS, recording.SUSPENDED_RUNS)
    )
    return f"({runs} - {left_out} or {runs})"
