"""The table of finished runs, newest kept, bounded per journey."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.core.results import Result

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    journey TEXT NOT NULL,
    result TEXT NOT NULL,
    ended_at REAL NOT NULL,          -- Unix seconds
    document TEXT NOT NULL           -- the run's public JSON
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_by_journey ON runs (journey, ended_at);
CREATE INDEX IF NOT EXISTS runs_by_journey_and_result ON runs (journey, result, ended_at);
CREATE INDEX IF NOT EXISTS runs_by_result ON runs (result, ended_at);
CREATE INDEX IF NOT EXISTS runs_by_time ON runs (ended_at);
"""

_KEPT = 1000
"""Runs of each journey."""


def add(connection: sqlite3.Connection, ended_at: float, document: dict[str, Any]) -> None:
    """Keep a run's public form, and let the journey's oldest go."""
    connection.execute(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
        (
            document["run_id"],
            document["journey"],
            document["result"],
            ended_at,
            json.dumps(document, ensure_ascii=False),
        ),
    )
    connection.execute(
        "DELETE FROM runs WHERE journey = :journey AND ended_at <= ("
        "SELECT ended_at FROM runs WHERE journey = :journey "
        "ORDER BY ended_at DESC LIMIT 1 OFFSET :kept)",
        {"journey": document["journey"], "kept": _KEPT},
    )


def newest(
    connection: sqlite3.Connection, limit: int, journey: str = "", result: str = ""
) -> list[str]:
    """Return the newest runs as they were kept, newest first: of one journey, of one result."""
    wanted = {"journey": journey, "result": result}
    where = " AND ".join(f"{name} = :{name}" for name, value in wanted.items() if value) or "true"
    rows = connection.execute(
        f"SELECT document FROM runs WHERE {where} ORDER BY ended_at DESC LIMIT :limit",  # noqa: S608 - no values
        {**wanted, "limit": limit},
    )
    return [row["document"] for row in rows]


def knows(connection: sqlite3.Connection, journey: str) -> bool:
    """Whether there is a run of this journey."""
    query = "SELECT 1 FROM runs WHERE journey = ? LIMIT 1"
    return connection.execute(query, (journey,)).fetchone() is not None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the runs of a journey say of it. Times are Unix seconds; None: there is no such run."""

    last: dict[str, Any] | None
    last_failure: dict[str, Any] | None
    """The newest run that failed, whatever came after it."""
    last_success: float | None
    """When the newest pass or flaky ended."""
    verdict: Result | None
    """The newest result that says something about the target: pass, flaky or fail."""
    verdict_at: float | None
    failures: int
    """Fails since the last success; what was not measured is left out."""
    failing_since: str | None
    """When the first of those started, RFC 3339."""


def standing(connection: sqlite3.Connection, journey: str) -> Standing:
    """Read how a journey stands. Cheap, however many runs are kept."""
    ended = {
        result: connection.execute(
            "SELECT max(ended_at) FROM runs WHERE journey = ? AND result = ?",
            (journey, result.value),
        ).fetchone()[0]
        for result in (Result.PASS, Result.FLAKY, Result.FAIL)
    }
    told = {at: result for result, at in ended.items() if at is not None}
    verdict_at = max(told, default=None)
    last_success = max((at for at in told if told[at] is not Result.FAIL), default=None)
    failed = (
        "FROM runs WHERE journey = :journey AND result = 'fail' AND ended_at > :since",
        {"journey": journey, "since": 0.0 if last_success is None else last_success},
    )
    failures = connection.execute(f"SELECT count(*) {failed[0]}", failed[1]).fetchone()[0]
    first = connection.execute(
        f"SELECT json_extract(document, '$.started_at') {failed[0]} ORDER BY ended_at LIMIT 1",
        failed[1],
    ).fetchone()
    return Standing(
        last=_first(newest(connection, 1, journey)),
        last_failure=_first(newest(connection, 1, journey, Result.FAIL.value)),
        last_success=last_success,
        verdict=None if verdict_at is None else told[verdict_at],
        verdict_at=verdict_at,
        failures=failures,
        failing_since=None if first is None else first[0],
    )


def _first(documents: list[str]) -> dict[str, Any] | None:
    return json.loads(documents[0]) if documents else None
