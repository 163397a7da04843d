"""Pauses and maintenance windows in plain words: what holds a journey, and how.

Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What becomes of a journey meanwhile."""

    STOP = "stop"
    """It isn't walked."""
    SILENCE = "silence"
    """It is walked, and nobody is paged."""


class Cause(StrEnum):
    """What suspends a journey."""

    PAUSE = "pause"
    """A person, by command or API."""
    MAINTENANCE = "maintenance"
    """A window of the configuration."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """One pause, or one turn of a window, over one journey."""

    cause: Cause
    mode: Mode
    reason: str
    """Why, in the words of whoever set it."""
    who: str
    """Who set it; empty for a window."""
    since: float
    until: float | None
    """When it ends, or ended; None: when somebody ends it."""
    is_open: bool
    """Whether it was set without an end."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window of the configuration: when it is, and what it suspends.

    It begins at the fires of the ``cron`` line in ``timezone``, or once, at ``starts``, and lasts
    for so many seconds each time.
    """

    journeys: tuple[str, ...]
    """Names, globs of names, or ``owner=`` with an owner or a glob of owners."""
    cron: str | None
    starts: float | None
    timezone: str
    lasts: float
    mode: Mode
    reason: str = ""
