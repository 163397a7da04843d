"""The bound on step names: a journey that makes them up at run time floods no metrics store.

Names are kept on disk with the collection that first told of them, so a restart opens no room
for another set. One that was not seen for a day makes room at the next start: journeys change.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from agent.core import names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

STEP_NAMES: Final = 50
"""How many step names a journey may have as values of ``step``."""

_LONGEST_NAME: Final = 200
"""Stores refuse points with labels that are much longer."""

Seen: TypeAlias = "Mapping[tuple[str, str], float]"
"""When each (journey, step name) was last seen, in Unix seconds."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS telemetry_steps (
    journey TEXT NOT NULL,
    name TEXT NOT NULL,
    seen_at REAL NOT NULL CHECK (typeof(seen_at) = 'real'),
    PRIMARY KEY (journey, name)
) WITHOUT ROWID;
"""

_FORGOTTEN_AFTER: Final = 86_400.0
# Or each collection would write down every step of every journey.
_NOTED_EVERY: Final = 3_600.0

_log = structlog.get_logger(__name__)


class StepNames:
    """The names that are taken. ``seen`` is what ``begin`` found on disk."""

    def __init__(self, seen: Seen) -> None:
        self._seen = dict(seen)
        self._taken = Counter(journey for journey, _ in seen)
        self._unsaved: dict[tuple[str, str], float] = {}
        self._told: set[str] = set()

    def bounded(self, journey: str, step: str, now: float) -> str:
        """Return the step's name, or that of all others where its journey has too many."""
        step = step[:_LONGEST_NAME]
        key = journey, step
        if key not in self._seen:
            if self._taken[journey] >= STEP_NAMES:
                self._tell(journey, step)
                return names.OTHER_STEP
            self._taken[journey] += 1
        if now - self._seen.get(key, -math.inf) > _NOTED_EVERY:
            self._seen[key] = self._unsaved[key] = now
        return step

    def unsaved(self) -> Seen:
        """Return, once, what is to be saved with the collection that was just made."""
        unsaved, self._unsaved = self._unsaved, {}
        return unsaved

    def _tell(self, journey: str, step: str) -> None:
        if journey not in self._told:
            self._told.add(journey)
            _log.warning(
                "steps.bounded",
                action="count",
                journey=journey,
                step=step,
                counted_as=names.OTHER_STEP,
                reason=f"the journey has more than {STEP_NAMES} step names; "
                "leave what varies out of them",
            )


def begin(connection: sqlite3.Connection, now: float) -> Seen:
    """Return the names that are taken, without those that nobody has seen for a day."""
    connection.execute("DELETE FROM telemetry_steps WHERE seen_at < ?", (now - _FORGOTTEN_AFTER,))
    rows = connection.execute("SELECT * FROM telemetry_steps")
    return {(row["journey"], row["name"]): row["seen_at"] for row in rows}


def save(connection: sqlite3.Connection, seen: Seen) -> None:
    """Write down when names were seen."""
    connection.executemany(
        "INSERT OR REPLACE INTO telemetry_steps VALUES (?, ?, ?)",
        [(journey, name, at) for (journey, name), at in seen.items()],
    )
