"""The bound on step names: a journey that makes them up at run time floods no metrics store.

Names are kept on disk with the run that first brought them, so a restart opens no room
for another set. One that was not seen for a day makes room at the next start: journeys change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from agent.core import names

if TYPE_CHECKING:
    import sqlite3

STEP_NAMES: Final = 50
"""How many step names a journey may have as values of ``step``."""

_LONGEST_NAME: Final = 200
"""Stores refuse points with labels that are much longer."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS telemetry_steps (
    journey TEXT NOT NULL,
    name TEXT NOT NULL,
    seen_at REAL NOT NULL CHECK (typeof(seen_at) = 'real'),
    PRIMARY KEY (journey, name)
) WITHOUT ROWID;
"""

_FORGOTTEN_AFTER: Final = 86_400.0
# Or each run would write down every step.
_NOTED_EVERY: Final = 3_600.0

_log = structlog.get_logger(__name__)


class StepNames:
    """The bound, and which journeys the log has told of that have too many names."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def bounded(self, connection: sqlite3.Connection, journey: str, step: str, now: float) -> str:
        """Return the step's name, or that of all others where its journey has too many."""
        step = step[:_LONGEST_NAME]
        seen = connection.execute(
            "SELECT seen_at FROM telemetry_steps WHERE journey = ? AND name = ?", (journey, step)
        ).fetchone()
        if seen is None:
            taken = connection.execute(
                "SELECT COUNT(*) FROM telemetry_steps WHERE journey = ?", (journey,)
            ).fetchone()[0]
            if taken >= STEP_NAMES:
                self._warn(journey, step)
                return names.OTHER_STEP
        if seen is None or now - seen["seen_at"] > _NOTED_EVERY:
            connection.execute(
                "INSERT OR REPLACE INTO telemetry_steps VALUES (?, ?, ?)",
                (journey, step, float(now)),
            )
        return step

    def _warn(self, journey: str, step: str) -> None:
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


def begin(connection: sqlite3.Connection, now: float) -> list[tuple[str, str]]:
    """Let go of the names that nobody has seen for a day; return them with their journeys."""
    gone = connection.execute(
        "DELETE FROM telemetry_steps WHERE seen_at < ? RETURNING journey, name",
        (now - _FORGOTTEN_AFTER,),
    )
    return [(row["journey"], row["name"]) for row in gone.fetchall()]
