"""What was seen in a run beyond its public form: when each step and request began, and the like.

It is large, so it is kept packed, and of fewer runs: of each journey the newest passes, and the
newest of all others.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from agent.storage.fitting import fit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS walks (
    run_id TEXT PRIMARY KEY,
    journey TEXT NOT NULL,
    good INTEGER NOT NULL,              -- whether it was a pass
    ended_at REAL NOT NULL,             -- Unix seconds, in time that never goes back
    packed BLOB NOT NULL                -- JSON
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS walks_by_journey ON walks (journey, good, ended_at);
"""

_KEPT: Final = 100
"""Of each journey: passes, and others."""
_LARGEST: Final = 256 * 1024
"""Characters of JSON."""


def pack(walk: Mapping[str, Any]) -> bytes:
    """Return what a run did as it is kept, within a bound."""
    return zlib.compress(fit(walk, _LARGEST).encode("utf-8", "replace"))


def add(
    connection: sqlite3.Connection,
    run_id: str,
    journey: str,
    ended_at: float,
    packed: bytes,
    *,
    good: bool,
) -> None:
    """Keep what a run of the schedule did, and let the journey's oldest go."""
    connection.execute(
        "INSERT OR REPLACE INTO walks VALUES (?, ?, ?, ?, ?)",
        (run_id, journey, good, ended_at, packed),
    )
    connection.execute(
        "DELETE FROM walks WHERE journey = :journey AND good = :good AND ended_at <= ("
        "SELECT ended_at FROM walks WHERE journey = :journey AND good = :good "
        "ORDER BY ended_at DESC LIMIT 1 OFFSET :kept)",
        {"journey": journey, "good": good, "kept": _KEPT},
    )


def find(connection: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    """Return what a run did, of whichever trigger; nothing where it is not kept, or no longer."""
    row = connection.execute(
        "SELECT packed FROM walks WHERE run_id = :run_id UNION ALL "
        "SELECT packed FROM asked_runs WHERE run_id = :run_id AND packed IS NOT NULL UNION ALL "
        "SELECT packed FROM gate_runs WHERE run_id = :run_id",
        {"run_id": run_id},
    ).fetchone()
    walk: dict[str, Any] = {} if row is None else json.loads(zlib.decompress(row[0]))
    return walk
