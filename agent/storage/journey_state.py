"""What each journey last came to, for the gauges that alerts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core.results import Result

if TYPE_CHECKING:
    import sqlite3

    from agent.core.results import RunResult

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS journey_state (
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    consecutive_failures INTEGER NOT NULL,
    verdict TEXT CHECK (verdict IN ('pass', 'flaky', 'fail')),
    verdict_at REAL,
    last_run REAL NOT NULL,
    last_success REAL,
    PRIMARY KEY (journey, location)
) WITHOUT ROWID;
"""

_FRESH_AT_LEAST: Final = 300.0
_FRESH_INTERVALS: Final = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one journey. Times are Unix seconds; None: never."""

    journey: str
    consecutive_failures: int
    verdict: Result | None
    """The last result that says something about the target: pass, flaky or fail."""
    verdict_at: float | None
    last_run: float
    last_success: float | None


def fresh(verdict_at: float | None, interval: float, now: float) -> bool:
    """Whether a verdict is young enough to still speak for the target.

    ``interval`` is the journey's, in seconds. A verdict from the future, after the clock was
    set back, does no more than one long past.
    """
    bound = max(_FRESH_INTERVALS * interval, _FRESH_AT_LEAST)
    return verdict_at is not None and abs(now - verdict_at) < bound


def note(connection: sqlite3.Connection, run: RunResult) -> None:
    """Take a finished run into its journey's state; ``not_measured`` moves ``last_run`` only."""
    measured = run.result is not Result.NOT_MEASURED
    success = run.result in {Result.PASS, Result.FLAKY}
    connection.execute(
        """
        INSERT INTO journey_state
        VALUES (:journey, :location, :failed, :verdict, :verdict_at, :last_run, :last_success)
        ON CONFLICT (journey, location) DO UPDATE SET
            consecutive_failures =
                CASE WHEN :success THEN 0 ELSE consecutive_failures + :failed END,
            verdict = COALESCE(:verdict, verdict),
            verdict_at = COALESCE(:verdict_at, verdict_at),
            last_run = :last_run,
            last_success = COALESCE(:last_success, last_success)
        """,
        {
            "journey": run.journey.name,
            "location": run.location,
            "success": success,
            "failed": int(run.result is Result.FAIL),
            "verdict": run.result.value if measured else None,
            "verdict_at": run.ended_at if measured else None,
            "last_run": run.ended_at,
            "last_success": run.ended_at if success else None,
        },
    )


def read(connection: sqlite3.Connection, location: str) -> dict[str, Verdict]:
    """Every journey's state at a location, by the journey's name."""
    rows = connection.execute("SELECT * FROM journey_state WHERE location = ?", (location,))
    return {
        row["journey"]: Verdict(
            journey=row["journey"],
            consecutive_failures=row["consecutive_failures"],
            verdict=Result(row["verdict"]) if row["verdict"] else None,
            verdict_at=row["verdict_at"],
            last_run=row["last_run"],
            last_success=row["last_success"],
        )
        for row in rows
    }
