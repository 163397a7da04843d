"""How each journey stands: the one place that gauges, API and pages read it from.

It moves in the transaction in which a slot of the journey ends, whether telemetry goes
anywhere or not, and doesn't depend on how many runs are kept.
"""

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
    failing_since REAL,                 -- Unix seconds, as every time here
    verdict TEXT CHECK (verdict IN ('pass', 'flaky', 'fail')),
    verdict_at REAL,
    verdict_began REAL,
    last_run REAL,
    last_success REAL,
    PRIMARY KEY (journey, location)
) WITHOUT ROWID;
"""

_FRESH_AT_LEAST: Final = 300.0
_FRESH_INTERVALS: Final = 3


@dataclass(frozen=True, slots=True)
class JourneyState:
    """What one journey's scheduled runs have come to. Times are Unix seconds; None: never."""

    consecutive_failures: int = 0
    """Fails since the last pass or flaky; what was not measured is left out."""
    failing_since: float | None = None
    """When the first of those started."""
    verdict: Result | None = None
    """The last result that says something about the target: pass, flaky or fail."""
    verdict_at: float | None = None
    """When that run ended, as the two below."""
    verdict_began: float | None = None
    """When it started."""
    last_run: float | None = None
    last_success: float | None = None

    def is_up(self, interval: float, now: float) -> bool | None:
        """Whether the target is up; None where no verdict is young enough to still tell.

        A verdict speaks for three intervals of its journey (seconds), and five minutes at
        least. One from the future, after the clock was set back, speaks no longer than one
        from the past.
        """
        if self.verdict_at is None or abs(now - self.verdict_at) >= fresh_for(interval):
            return None
        return self.verdict is not Result.FAIL


def fresh_for(interval: float) -> float:
    """Return for how many seconds a verdict speaks for a journey of this interval."""
    return max(_FRESH_INTERVALS * interval, _FRESH_AT_LEAST)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """Of a finished run what moves its journey's state."""

    journey: str
    location: str
    result: Result
    started_at: float
    ended_at: float

    @classmethod
    def of(cls, run: RunResult, now: float) -> RunEnd:
        """Take it from the result of a run that has just ended, at Unix time ``now``.

        Under it the clock may have been set, so what it says of its times may be long gone by,
        or yet to come.
        """
        began = now - (run.ended_at - run.started_at)
        return cls(run.journey.name, run.location, run.result, began, now)


def note(connection: sqlite3.Connection, run: RunEnd) -> None:
    """Take a finished run into its journey's state; ``not_measured`` moves ``last_run`` only."""
    measured = run.result is not Result.NOT_MEASURED
    success = run.result in {Result.PASS, Result.FLAKY}
    failed = run.result is Result.FAIL
    connection.execute(
        """
        INSERT INTO journey_state (journey, location, consecutive_failures, failing_since,
            verdict, verdict_at, verdict_began, last_run, last_success)
        VALUES (:journey, :location, :failed, :since,
            :verdict, :verdict_at, :verdict_began, :last_run, :last_success)
        ON CONFLICT (journey, location) DO UPDATE SET
            consecutive_failures = iif(:success, 0, consecutive_failures + :failed),
            failing_since = iif(:success, NULL, coalesce(failing_since, :since)),
            verdict = coalesce(:verdict, verdict),
            verdict_at = coalesce(:verdict_at, verdict_at),
            verdict_began = coalesce(:verdict_began, verdict_began),
            last_run = :last_run,
            last_success = coalesce(:last_success, last_success)
        """,
        {
            "journey": run.journey,
            "location": run.location,
            "success": success,
            "failed": int(failed),
            "since": run.started_at if failed else None,
            "verdict": run.result.value if measured else None,
            "verdict_at": run.ended_at if measured else None,
            "verdict_began": run.started_at if measured else None,
            "last_run": run.ended_at,
            "last_success": run.ended_at if success else None,
        },
    )


def set_back(connection: sqlite3.Connection, seconds: float, now: float) -> None:
    """Move what is from the future along with a wall clock that was set back to ``now``.

    So what is five minutes old stays five minutes old.
    """
    times = ("failing_since", "verdict_at", "verdict_began", "last_run", "last_success")
    moved = ", ".join(
        f"{name} = iif({name} > :now, min({name} - :seconds, :now), {name})" for name in times
    )
    connection.execute(
        f"UPDATE journey_state SET {moved}",  # noqa: S608 - no values
        {"seconds": seconds, "now": now},
    )


def read(connection: sqlite3.Connection, location: str) -> dict[str, JourneyState]:
    """Return every journey's state at a location, by the journey's name."""
    rows = connection.execute("SELECT * FROM journey_state WHERE location = ?", (location,))
    return {
        row["journey"]: JourneyState(
            consecutive_failures=row["consecutive_failures"],
            failing_since=_failing_since(row),
            verdict=Result(row["verdict"]) if row["verdict"] else None,
            verdict_at=row["verdict_at"],
            verdict_began=row["verdict_began"],
            last_run=row["last_run"],
            last_success=row["last_success"],
        )
        for row in rows
    }


def _failing_since(row: sqlite3.Row) -> float | None:
    """Return when the fails in a row began; of rows that an older agent wrote, the last of them."""
    if not row["consecutive_failures"]:
        return None
    since: float | None = row["failing_since"]
    return row["verdict_at"] if since is None else since
