"""The table of finished runs, newest kept, bounded per journey."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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


def latest(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return each journey's newest run."""
    rows = connection.execute("SELECT journey, document, max(ended_at) FROM runs GROUP BY journey")
    return {row["journey"]: json.loads(row["document"]) for row in rows}
