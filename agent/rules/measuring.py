"""Alerts of what is wrong with the measuring: nothing is run, nothing is told, a beacon escapes."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from agent.core.results import Result
from agent.core.units import format_duration
from agent.rules import recording, series, suspended
from agent.rules.series import increase
from agent.rules.subject import EACH, ON_EACH, TICKET

if TYPE_CHECKING:
    from agent.rules.rule import Alert
    from agent.rules.subject import Subject

_NOT_MEASURED_AT_LEAST: Final = 2
_WINDOW: Final = (600, 4)
"""Seconds at least, and runs, of which most could not be measured."""
_STALE_AFTER: Final = 3
"""Gaps between slots without a result."""
_STALE_AT_LEAST: Final = 300


def not_running(subject: Subject) -> Alert:
    """Return the one of a journey without results, whether it ever had any or not."""
    last = f"max {EACH} ({subject.of(series.LAST_RUN)})"
    # The gap between slots as it is now: that of a cron line's weekend, then that of its hours.
    # The first run after a long one has the time of the alert's wait.
    gap = f"max {EACH} ({subject.of(series.INTERVAL)})"
    expected = f"max {EACH} ({subject.of(series.EXPECTED)}) > 0"
    nobody = subject.of(
        series.INTERVAL, site=subject.journey.site.name, location=subject.watch.location
    )
    # One that is walked in silence runs as ever.
    stopped = suspended.now(subject.of, **{series.MODE: "stop"})
    walk = 2 * (subject.journey.timeout + subject.journey.grace) + subject.journey.confirm_after
    return subject.alert(
        "JourneyNotRunning",
        f"(\n"
        f"  time() - {last}\n"
        f"    > clamp_min({_STALE_AFTER} * {gap}, {_STALE_AT_LEAST})\n"
        f"  or (\n"
        f"    {gap}\n"
        f"    and {ON_EACH} ({expected})\n"
        f"    unless {ON_EACH} {last}\n"
        f"  )\n"
        f")\n"
        f"unless {ON_EACH} {stopped}\n"
        f"or absent({nobody})",
        TICKET,
        "no results from {{ $labels.location }}",
        "Nobody knows whether it works. Either no agent there walks it (see AgentDown, and "
        "`footfall check`), or its slots are skipped: footfall_schedule_skipped_total "
        "tells why.",
        wait=format_duration(60 * (1 + ceil(walk / 60))),
    )


def not_measured(subject: Subject) -> Alert:
    """Return the one of an agent that can't measure."""
    seconds = subject.seconds(*_WINDOW)
    window = format_duration(seconds)
    runs = subject.of(recording.RUNS, result=Result.NOT_MEASURED)
    others = subject.of(recording.RUNS, result=recording.MEASURED)
    bot = increase(subject.of(recording.CHALLENGED), window)
    not_measured = f"(sum {EACH} ({increase(runs, window)}) - sum {EACH} ({bot}))"
    return subject.alert(
        "NotMeasured",
        f"{not_measured} >= {_NOT_MEASURED_AT_LEAST}\n"
        f"and {not_measured}\n"
        f"  > sum {EACH} ({increase(others, window)})\n"
        f"unless {ON_EACH} {suspended.within(subject.of, seconds)}",
        TICKET,
        "{{ $value }} runs could not be measured at {{ $labels.location }}",
        f"Most of the runs of the last {window}. Nobody knows whether it works. The error "
        "type tells what is wrong with the agent, or, where it is script_error, with the "
        "journey. " + subject.history(Result.NOT_MEASURED),
    )


def challenged(subject: Subject) -> Alert:
    """Return the one of an agent that is taken for a bot: never a page, customers are fine."""
    seconds = subject.seconds(*_WINDOW)
    window = format_duration(seconds)
    bot = increase(subject.of(recording.CHALLENGED), window)
    return subject.alert(
        "Challenged",
        f"sum {EACH} ({bot}) >= {_NOT_MEASURED_AT_LEAST}\n"
        f"unless {ON_EACH} {suspended.within(subject.of, seconds)}",
        TICKET,
        "{{ $value }} runs met a challenge for bots at {{ $labels.location }}",
        f"Within the last {window}. The site's edge takes the agent for a bot; customers are fine, "
        "and until it is let in nobody knows whether the journey works. The cure is a signed "
        "identity: set identity.signing_key, and have the edge admit what it signs. "
        + subject.history(Result.NOT_MEASURED),
    )


def escaped(subject: Subject) -> Alert:
    """Return the one of beacons that got out against the policy."""
    return subject.alert(
        "EscapedBeacon",
        f"sum {EACH} ({increase(subject.of(recording.ESCAPED), '1h')}) > 0",
        TICKET,
        "{{ $value }} beacons escaped at {{ $labels.location }}",
        "Somebody's figures count the agent as a customer: "
        f"`footfall audit {subject.name}` names the vendor.",
    )
