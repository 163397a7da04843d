"""How late a slot may start: one rule for the ticker and for what waits in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.model import Journey

_MOST = 300.0
"""Seconds after which a slot is too late, however long its journey's interval is."""


def latest(interval: float) -> float:
    """Return the seconds after its slot at which a run of such a journey may still start."""
    return min(interval / 2, _MOST)


def lifetime(journey: Journey) -> float:
    """Return the seconds after its slot within which a run is over, if there is one at all."""
    walks = 2 * (journey.timeout + journey.grace) + journey.confirm_after
    return walks + latest(journey.interval)


def too_late(journey: Journey, seconds: float) -> bool:
    """Whether a run that starts ``seconds`` after its slot says too little about it.

    That is after half its interval, so that a late run doesn't stand in the next one's way.
    """
    return seconds > latest(journey.interval)
