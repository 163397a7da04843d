"""A run that is asked for, and an attempt of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    closer_within: float | None = None
    """Of a closer run, the seconds after which it has to be over; None: it is none."""
    again: bool = True
    """Whether a second attempt may be made; an author who waits for his own is told of one."""
    parent_id: str | None = None
    """The span that its root span is a child of; None: it is one of its own."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent to first parties besides."""
    withheld: str = ""
    """Why its journey gets no secret; "": it gets those that it asks for."""


@dataclass(frozen=True, slots=True)
class AttemptOrder:
    """One attempt that is to be made, in a worker other than number ``avoid``."""

    number: int
    span_id: str
    avoid: int | None = None
    may_record: bool = True
