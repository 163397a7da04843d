"""A run that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.model import Journey, Trigger


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to be made. ``scheduled_at`` is None where no slot asked for it."""

    run_id: str
    journey: Journey
    location: str
    trigger: Trigger
    trace_id: str
    span_id: str
    scheduled_at: float | None = None
