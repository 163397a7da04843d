"""Journeys that are paused or in a maintenance window: who leaves them out, and for how long.

``of`` writes the selector of a metric: of one journey, or of all of an environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from agent.core.units import format_duration
from agent.rules import recording, series
from agent.rules.subject import EACH, TICKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.rules.rule import Alert
    from agent.rules.subject import Subject

    Of: TypeAlias = Callable[..., str]

_LONGEST_WAIT: Final = 21_600
"""Seconds after its end for which a suspension is waited for at most: a window of every night
would else keep back for ever what is asked of days."""


def now(of: Of, **matchers: str) -> str:
    """Write the locations at which a journey is suspended now."""
    return f"max {EACH} ({of(series.SUSPENDED, **matchers)}) == 1"


def within(of: Of, seconds: float) -> str:
    """Write the locations at which a journey was suspended within the last ``seconds``."""
    window = format_duration(min(seconds, _LONGEST_WAIT))
    return f"max {EACH} (max_over_time({of(series.SUSPENDED)}[{window}])) == 1"


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
