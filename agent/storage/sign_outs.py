"""Sessions that people ended, until they would have ended by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sign_outs (
    session TEXT PRIMARY KEY,
    ends_at REAL NOT NULL               -- Unix seconds
) WITHOUT ROWID;
"""


def add(connection: sqlite3.Connection, ended: Mapping[str, float], now: float) -> None:
    """Keep when these sessions would have ended, and forget those that have, at Unix time now."""
    connection.execute("DELETE FROM sign_outs WHERE ends_at <= ?", (now,))
    connection.executemany("INSERT OR REPLACE INTO sign_outs VALUES (?, ?)", ended.items())


def read(connection: sqlite3.Connection) -> dict[str, float]:
    """Return all that are kept."""
    return {row[0]: row[1] for row in connection.execute("SELECT session, ends_at FROM sign_outs")}
