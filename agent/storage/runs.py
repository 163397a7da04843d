"""The table of finished runs, newest kept, bounded per journey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.storage.fitting import LARGEST, fit

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    journey TEXT NOT NULL,
    result TEXT NOT NULL,
    ended_at REAL NOT NULL,          -- Unix seconds, in time that never goes back
    document TEXT NOT NULL           -- the run's public JSON
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_by_journey ON runs (journey, ended_at, result);
CREATE INDEX IF NOT EXISTS runs_by_journey_and_result ON runs (journey, result, ended_at);
CREATE INDEX IF NOT EXISTS runs_by_result ON runs (result, ended_at);
CREATE INDEX IF NOT EXISTS runs_by_time ON runs (ended_at);
"""

_KEPT = 1000
"""Runs of each journey."""
AFTER_ANY = "~"
"""What sorts after all that an id consists of."""
_MOST = 8 * 1024 * 1024
"""Characters of the runs that are returned at once."""


def add(connection: sqlite3.Connection, ended_at: float, document: dict[str, Any]) -> None:
    """Keep a run's public form, within a bound, and let the journey's oldest go.

    ``ended_at`` is in time that never goes back: by it runs are newer or older than others.
    """
    connection.execute(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
        (
            document["run_id"],
            document["journey"],
            document["result"],
            ended_at,
            fit(document, LARGEST),
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
    """Return the newest runs as they were kept, newest first: of one journey, of one result.

    Fewer than ``limit`` where so many would be too large together.
    """
    wanted = {"journey": journey, "result": result}
    where = " AND ".join(f"{name} = :{name}" for name, value in wanted.items() if value) or "true"
    rows = connection.execute(
        f"SELECT document FROM runs WHERE {where} ORDER BY ended_at DESC LIMIT :limit",  # noqa: S608 - no values
        {**wanted, "limit": limit},
    )
    found: list[str] = []
    left = _MOST
    for (document,) in rows:
        left -= len(document)
        if left < 0:
            break
        found.append(document)
    return found


def find(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """Return the runs, two at most, whose ids begin so, as they were kept."""
    rows = connection.execute(
        "SELECT document FROM runs WHERE run_id BETWEEN ? AND ? LIMIT 2",
        (beginning, beginning + AFTER_ANY),
    )
    return [row[0] for row in rows]


def results(connection: sqlite3.Connection, journey: str, limit: int) -> list[str]:
    """Return what a journey's newest runs came to, the newest last."""
    rows = connection.execute(
        "SELECT result FROM runs WHERE journey = ? ORDER BY ended_at DESC LIMIT ?",
        (journey, limit),
    )
    return [row[0] for row in rows][::-1]


def newest_id(connection: sqlite3.Connection, journey: str, result: str = "") -> str | None:
    """Return the id of a journey's newest run, of a result if one is named; None: there is none."""
    of_result = "AND result = :result" if result else ""
    row = connection.execute(
        f"SELECT run_id FROM runs WHERE journey = :journey {of_result} "  # noqa: S608 - no values
        "ORDER BY ended_at DESC LIMIT 1",
        {"journey": journey, "result": result},
    ).fetchone()
    return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class Around:
    """What stands beside a run in its journey's history; None where there is nothing."""

    previous: str | None
    """Id of the run before it."""
    next: str | None
    last_pass: str | None
    """The last pass before it, as it was kept."""


def around(connection: sqlite3.Connection, run_id: str, journey: str) -> Around:
    """Return what stands beside a run; of one that is none of the schedule's, what came last."""
    row = connection.execute("SELECT ended_at FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    given = {"journey": journey, "at": None if row is None else row[0]}
    before, after = "(:at IS NULL OR ended_at < :at)", "ended_at > :at"

    def first(column: str, where: str, order: str) -> str | None:
        found = connection.execute(
            f"SELECT {column} FROM runs WHERE journey = :journey AND {where} "  # noqa: S608 - no values
            f"ORDER BY ended_at {order} LIMIT 1",
            given,
        ).fetchone()
        return None if found is None else str(found[0])

    return Around(
        None if row is None else first("run_id", before, "DESC"),
        first("run_id", after, "ASC"),
        first("document", f"result = 'pass' AND {before}", "DESC"),
    )


def knows(connection: sqlite3.Connection, journey: str) -> bool:
    """Whether there is a run of this journey."""
    query = "SELECT 1 FROM runs WHERE journey = ? LIMIT 1"
    return connection.execute(query, (journey,)).fetchone() is not None
