"""Slots for which no worker was free: the agent's own trouble, of whichever journeys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LATELY: Final = timedelta(minutes=15)
"""For how long such a slot is the agent's trouble."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """How many journeys lately had such slots, and when the last was, as RFC 3339."""

    journeys: int
    last_at: str

    def __str__(self) -> str:
        """Say what happened; when is for whoever shows it."""
        more = "s" if self.journeys != 1 else ""
        return f"{self.journeys} journey{more} had slots for which no worker was free"


def crowded(journeys: Iterable[Mapping[str, Any]], now: datetime) -> Crowded | None:
    """Tell of slots that were skipped for want of a worker; None: there were none lately.

    ``journeys`` are objects of the API, as they stand at ``now``.
    """
    lately = [
        one["last_at"]
        for journey in journeys
        for one in journey.get("skipped", ())
        if one["reason"] == "capacity" and datetime.fromisoformat(one["last_at"]) >= now - _LATELY
    ]
    return Crowded(len(lately), max(lately)) if lately else None
