"""Journeys that are paused or in a maintenance window: who leaves them out, and for how long.

``of`` writes the selector of a metric: of one journey, or of all of an environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from agent.core.units import format_duration
from agent.rules import recording, series
from agent.rules.series import by, on
from agent.rules.subject import EACH, ON_EACH, TICKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.rules.rule import Alert
    from agent.rules.subject import Subject

    Of: TypeAlias = Callable[..., str]

_LONGEST_WAIT: Final = 21_600
"""Seconds after its end for which a suspension is waited for at most: a window of every night
would else keep back for ever what is asked of days."""
_OF_AGENT: Final = (series.JOURNEY, series.SITE, series.LOCATION, *series.INSTANCES)


def now(of: Of, **matchers: str) -> str:
    """Write the locations at which a journey is suspended now."""
    return f"max {EACH} ({of(series.SUSPENDED, **matchers)}) == 1"


def within(of: Of, seconds: float) -> str:
    """Write the locations at which a journey was suspended within the last ``seconds``."""
    window = format_duration(min(seconds, _LONGEST_WAIT))
    return f"max {EACH} (max_over_time({of(series.SUSPENDED)}[{window}])) == 1"


def failures_in_a_row(of: Of) -> str:
    """Write the failures in a row wherever they may be told.

    That is where the journey is not suspended and the agent still sends them. A store goes by
    what it heard last for minutes; after a window in which the journey failed and after which
    nothing was measured, that is old news.
    """
    agent = (series.ENVIRONMENT, *_OF_AGENT)
    failures, suspended = of(series.CONSECUTIVE_FAILURES), of(series.SUSPENDED)
    sent = f"max {by(agent)} (timestamp({failures}))"
    heard = f"max {by(agent)} (timestamp({suspended}))"
    return (
        f"(max {EACH} (\n"
        f"  max {by(agent)} ({failures})\n"
        f"  unless {on(agent)} {sent} < {on(agent)} {heard}\n"
        f") unless {ON_EACH} {now(of)})"
    )


def paused_long(subject: Subject) -> Alert:
    """Return the one of a pause that nobody ends."""
    return subject.alert(
        "PausedLong",
        f"max {EACH} ({subject.of(recording.PAUSED_LONG)}) == 1",
        TICKET,
        "nobody is told of it at {{ $labels.location }}, and that has no end",
        "For a day it has been paused without an end, or for a week there was no moment without "
        f"a pause or a window. `footfall status {subject.name}` says who paused it and why, "
        f"`footfall resume {subject.name}` ends a pause, and windows stand under [[maintenance]] "
        "in the configuration.",
    )
