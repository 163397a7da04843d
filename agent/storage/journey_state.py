"""How each journey stands: the one place that gauges, API and pages read it from.

It moves in the transaction in which a slot of the journey ends, whether telemetry goes
anywhere or not, and doesn't depend on how many runs are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent.core.results import Result
from agent.storage.run_end import RunEnd, Turn

if TYPE_CHECKING:
    import sqlite3

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
    consecutive_slow INTEGER NOT NULL DEFAULT 0,
    told_down INTEGER NOT NULL DEFAULT 0,
    passes_wanted INTEGER NOT NULL DEFAULT 0,
    first_error_type TEXT,              -- of the fails in a row
    first_error TEXT,
    first_step TEXT,
    first_run TEXT,
    PRIMARY KEY (journey, location)
) WITHOUT ROWID;
"""

Row = dict[str, Any]
"""A journey's row as plain data."""

_PASSES_WANTED: Final = 2
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
    consecutive_slow: int = 0
    """Slow passes since the last one that was not; what did not pass is left out."""
    passes_wanted: int = 0
    """Passes or flakies in a row until it counts as well again after a fail."""

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


def note(connection: sqlite3.Connection, run: RunEnd) -> Turn | None:
    """Take a finished run into its journey's state; ``not_measured`` moves ``last_run`` only.

    Return the turn that it took with this run, if it did: down once its fails in a row are
    enough, and up with the first pass or flaky after that. Each is told once.
    """
    measured = run.result is not Result.NOT_MEASURED
    success = run.result in {Result.PASS, Result.FLAKY}
    failed = run.result is Result.FAIL
    turn = _turn(connection, run, success=success, failed=failed)
    connection.execute(
        """
        INSERT INTO journey_state (journey, location, consecutive_failures, failing_since,
            verdict, verdict_at, verdict_began, last_run, last_success, consecutive_slow,
            told_down, passes_wanted, first_error_type, first_error, first_step, first_run)
        VALUES (:journey, :location, :failed, :since, :verdict, :verdict_at, :verdict_began,
            :last_run, :last_success, coalesce(:slow, 0), :down, :failed * :wanted,
            :error_type, :error, :step, :run_id)
        ON CONFLICT (journey, location) DO UPDATE SET
            consecutive_failures = iif(:success, 0, consecutive_failures + :failed),
            failing_since = iif(:success, NULL, coalesce(failing_since, :since)),
            verdict = coalesce(:verdict, verdict),
            verdict_at = coalesce(:verdict_at, verdict_at),
            verdict_began = coalesce(:verdict_began, verdict_began),
            last_run = :last_run,
            last_success = coalesce(:last_success, last_success),
            consecutive_slow = CASE
                WHEN :slow IS NULL THEN consecutive_slow
                WHEN :slow THEN consecutive_slow + 1 ELSE 0 END,
            told_down = NOT :success AND (told_down OR :down),
            passes_wanted = iif(:failed, :wanted, max(0, passes_wanted - :success)),
            first_error_type = iif(:success, NULL, coalesce(first_error_type, :error_type)),
            first_error = iif(:success, NULL, coalesce(first_error, :error)),
            first_step = iif(:success, NULL, coalesce(first_step, :step)),
            first_run = iif(:success, NULL,
                iif(consecutive_failures, first_run, coalesce(first_run, :run_id)))
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
            "slow": run.slow,
            "down": turn is not None and turn.down,
            "wanted": _PASSES_WANTED,
            "error_type": run.error_type if failed else None,
            "error": run.error if failed else None,
            "step": run.step if failed else None,
            "run_id": (run.run_id or None) if failed else None,
            "last_success": run.ended_at if success else None,
        },
    )
    return turn


@dataclass(frozen=True, slots=True)
class Failing:
    """The fails in a row of a journey; texts and ``run_id`` are of the first of them."""

    fails: int
    since: float
    """When it started, in Unix seconds."""
    error_type: str
    error: str
    step: str
    run_id: str | None
    """None where it isn't known."""


def failing(connection: sqlite3.Connection, run: RunEnd) -> Failing:
    """Return the fails in a row, the last of which is this run, which was noted."""
    row = connection.execute(
        "SELECT * FROM journey_state WHERE journey = ? AND location = ?",
        (run.journey, run.location),
    ).fetchone()
    since = _failing_since(row)
    return Failing(
        row["consecutive_failures"],
        run.started_at if since is None else since,
        row["first_error_type"] or run.error_type,
        row["first_error"] or run.error,
        row["first_step"] or run.step,
        row["first_run"],
    )


def _turn(
    connection: sqlite3.Connection, run: RunEnd, *, success: bool, failed: bool
) -> Turn | None:
    row = connection.execute(
        "SELECT * FROM journey_state WHERE journey = ? AND location = ?",
        (run.journey, run.location),
    ).fetchone()
    before = row["consecutive_failures"] if row else 0
    told = bool(row and row["told_down"])
    down = failed and not told and before + 1 >= run.down_after
    if not down and not (success and told):
        return None
    # What an older agent wrote down of a fail has no error.
    known = row is not None and row["first_error_type"] is not None
    since = _failing_since(row) if before else None
    since = run.started_at if since is None else since
    return Turn(
        down=down,
        since=since,
        seconds=max(0.0, run.ended_at - since),
        fails=before + failed,
        error_type=row["first_error_type"] if known else run.error_type,
        step=row["first_step"] if known else run.step,
        error=row["first_error"] if known else run.error,
    )


def take_out(connection: sqlite3.Connection, journey: str, location: str) -> Row | None:
    """Return all that is kept of a journey, as ``put_in`` takes it; None: nothing is."""
    found = connection.execute(
        "SELECT * FROM journey_state WHERE journey = ? AND location = ?", (journey, location)
    ).fetchone()
    return None if found is None else dict(found)


def take_all_out(connection: sqlite3.Connection, location: str) -> dict[str, Row]:
    """Return the same of every journey of a location, by name."""
    rows = connection.execute("SELECT * FROM journey_state WHERE location = ?", (location,))
    return {row["journey"]: dict(row) for row in rows}


def put_in(connection: sqlite3.Connection, row: Row) -> None:
    """Keep of a journey what was taken out elsewhere, in place of all that was kept of it.

    What another version of the agent knows of it, and this one doesn't, is left out.
    """
    columns = [one[1] for one in connection.execute("PRAGMA table_info(journey_state)")]
    known = {name: row[name] for name in columns if name in row}
    connection.execute(
        f"INSERT OR REPLACE INTO journey_state ({', '.join(known)}) "  # noqa: S608 - names of our own
        f"VALUES ({', '.join(f':{name}' for name in known)})",
        known,
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
            consecutive_slow=row["consecutive_slow"],
            passes_wanted=row["passes_wanted"],
        )
        for row in rows
    }


def watched(connection: sqlite3.Connection, location: str) -> dict[str, int]:
    """Return the journeys that are watched closely, each with its fails in a row.

    That is from a fail to the second pass or flaky in a row.
    """
    rows = connection.execute(
        "SELECT journey, consecutive_failures FROM journey_state "
        "WHERE location = ? AND passes_wanted > 0",
        (location,),
    )
    return {row["journey"]: row["consecutive_failures"] for row in rows}


def _failing_since(row: sqlite3.Row) -> float | None:
    """Return when the fails in a row began; of rows that an older agent wrote, the last of them."""
    if not row["consecutive_failures"]:
        return None
    since: float | None = row["failing_since"]
    return row["verdict_at"] if since is None else since
