"""The table of runs that a person or a program asked for: they count for nothing but themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.storage.fitting import LARGEST, fit
from agent.storage.runs import AFTER_ANY

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS asked_runs (
    run_id TEXT PRIMARY KEY,
    journey TEXT NOT NULL,
    asked_at REAL NOT NULL,          -- Unix seconds
    document TEXT,                   -- the run's public JSON; NULL until it is over
    packed BLOB                      -- what was seen in it besides: see ``walks``
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS asked_runs_by_time ON asked_runs (asked_at);
"""

_KEPT = 200
"""Runs, of all journeys together."""


def ask(connection: sqlite3.Connection, run_id: str, journey: str, asked_at: float) -> None:
    """Note that a run is asked for, and let the oldest that are over go."""
    connection.execute(
        "INSERT INTO asked_runs (run_id, journey, asked_at) VALUES (?, ?, ?)",
        (run_id, journey, asked_at),
    )
    connection.execute(
        "DELETE FROM asked_runs WHERE document IS NOT NULL AND run_id NOT IN ("
        "SELECT run_id FROM asked_runs ORDER BY asked_at DESC LIMIT ?)",
        (_KEPT,),
    )


def end(connection: sqlite3.Connection, document: dict[str, Any], packed: bytes) -> None:
    """Keep the public form of a run that is over, within a bound, and what was seen in it."""
    connection.execute(
        "UPDATE asked_runs SET document = ?, packed = ? WHERE run_id = ?",
        (fit(document, LARGEST), packed, document["run_id"]),
    )


def forget(connection: sqlite3.Connection, run_id: str) -> None:
    """Let go of a run of a journey that is gone."""
    connection.execute("DELETE FROM asked_runs WHERE run_id = ?", (run_id,))


def unfinished(connection: sqlite3.Connection) -> list[tuple[str, str, float]]:
    """Return those that are not over, oldest first: run id, journey, when it was asked for."""
    rows = connection.execute(
        "SELECT run_id, journey, asked_at FROM asked_runs WHERE document IS NULL ORDER BY asked_at"
    )
    return [(row["run_id"], row["journey"], row["asked_at"]) for row in rows]


def find(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """Return the runs that are over, two at most, whose ids begin so, as they were kept."""
    rows = connection.execute(
        "SELECT document FROM asked_runs WHERE document IS NOT NULL AND run_id BETWEEN ? AND ? "
        "LIMIT 2",
        (beginning, beginning + AFTER_ANY),
    )
    return [row[0] for row in rows]
