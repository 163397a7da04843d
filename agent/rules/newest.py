"""How a journey stands, read from the replica that walked it last.

Walks of one location may land on any of its replicas. Each sends how the journey stood when it
walked it last itself, so that all but one of them tell old news. ``of`` writes the selector of a
metric: of one journey, or of all of an environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.rules import series, suspended
from agent.rules.series import by, on
from agent.rules.subject import EACH, ON_EACH

if TYPE_CHECKING:
    from agent.rules.suspended import Of

_AGENT: Final = (
    series.ENVIRONMENT,
    series.JOURNEY,
    series.SITE,
    series.LOCATION,
    *series.INSTANCES,
)
_LIFE: Final = on((*_AGENT, series.VERSION))
"""For minutes after an upgrade, what the old version sent is still there beside the new."""


def failures_in_a_row(of: Of) -> str:
    """Write the failures in a row, where the journey is not suspended."""
    return f"({_newest(of, series.CONSECUTIVE_FAILURES)} unless {ON_EACH} {suspended.now(of)})"


def slow_in_a_row(of: Of) -> str:
    """Write the slow passes in a row, where the journey is not suspended."""
    return f"({_newest(of, series.CONSECUTIVE_SLOW)} unless {ON_EACH} {suspended.now(of)})"


def _newest(of: Of, metric: str) -> str:
    """Write a gauge of journeys as the replica has it that walked them last.

    One counts only while it sends the gauge: a store goes by what it heard last for minutes;
    after a window in which the journey failed and after which nothing was measured, that is old
    news.
    """
    told, suspends = of(metric), of(series.SUSPENDED)
    sent = f"max {by(_AGENT)} (timestamp({told}))"
    heard = f"max {by(_AGENT)} (timestamp({suspends}))"
    return (
        f"max {EACH} (\n"
        f"  {told} and {_LIFE} topk {EACH} (1,\n"
        f"    {of(series.LAST_RUN)} and {_LIFE} {told}\n"
        f"    unless {on(_AGENT)} {sent} < {on(_AGENT)} {heard}\n"
        f"  )\n"
        f")"
    )
