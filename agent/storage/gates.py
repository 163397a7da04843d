"""The tables of gates and of their walks: what a release was judged by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.storage.fitting import LARGEST, fit
from agent.storage.runs import AFTER_ANY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

SCHEMA = """
CREATE TABLE IF NOT EXISTS gates (
    id TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    asked_at REAL NOT NULL,          -- Unix seconds
    key TEXT,                        -- under which it was asked for
    digest TEXT NOT NULL,            -- of what was asked for
    verdict TEXT NOT NULL,
    document TEXT NOT NULL,          -- its public JSON
    elsewhere INTEGER NOT NULL DEFAULT 0  -- whether another replica walks it, and ends it
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS gates_by_time ON gates (asked_at);
CREATE UNIQUE INDEX IF NOT EXISTS gates_by_key ON gates (key);
CREATE TABLE IF NOT EXISTS gate_runs (
    run_id TEXT PRIMARY KEY,
    gate TEXT NOT NULL,
    document TEXT NOT NULL,          -- the run's public JSON
    packed BLOB NOT NULL             -- what was seen in it besides: see ``walks``
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS gate_runs_by_gate ON gate_runs (gate);
"""

_KEPT = 200
"""Gates, of all sites together, with their walks."""
PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Asked:
    """A gate as it is first written down."""

    key: str
    digest: str
    asked_at: float
    document: Mapping[str, Any]


def ask(connection: sqlite3.Connection, asked: Asked) -> None:
    """Note a gate that is asked for, and let the oldest go."""
    document = asked.document
    connection.execute(
        "INSERT INTO gates VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (
            document["id"],
            document["site"],
            asked.asked_at,
            asked.key or None,
            asked.digest,
            document["verdict"],
            fit(document, LARGEST),
        ),
    )
    _forget(connection)


def copy(connection: sqlite3.Connection, documents: Iterable[Mapping[str, Any]]) -> None:
    """Keep gates as the replicas tell of them that walk them."""
    connection.executemany(
        "INSERT INTO gates VALUES (:id, :site, :asked_at, NULL, '', :verdict, :document, 1) "
        "ON CONFLICT (id) DO UPDATE SET verdict = :verdict, document = :document WHERE elsewhere",
        (
            {
                "id": document["id"],
                "site": document["site"],
                "asked_at": datetime.fromisoformat(document["asked_at"]).timestamp(),
                "verdict": document["verdict"],
                "document": fit(document, LARGEST),
            }
            for document in documents
        ),
    )
    _forget(connection)


def by_key(connection: sqlite3.Connection, key: str) -> tuple[str, str] | None:
    """Return the id of the gate that was asked for under a key, and the digest of its order."""
    row = connection.execute("SELECT id, digest FROM gates WHERE key = ?", (key,)).fetchone()
    return None if row is None else (row["id"], row["digest"])


def note(connection: sqlite3.Connection, document: Mapping[str, Any]) -> None:
    """Keep what has become of a gate."""
    connection.execute(
        "UPDATE gates SET verdict = ?, document = ? WHERE id = ?",
        (document["verdict"], fit(document, LARGEST), document["id"]),
    )


def add_run(
    connection: sqlite3.Connection, gate: str, document: dict[str, Any], packed: bytes
) -> None:
    """Keep a walk of a gate, within a bound."""
    connection.execute(
        "INSERT OR REPLACE INTO gate_runs VALUES (?, ?, ?, ?)",
        (document["run_id"], gate, fit(document, LARGEST), packed),
    )


def find(connection: sqlite3.Connection, gate: str) -> dict[str, Any] | None:
    """Return a gate as it was kept; None: there is none such, or no longer."""
    row = connection.execute("SELECT document FROM gates WHERE id = ?", (gate,)).fetchone()
    return None if row is None else json.loads(row[0])


def find_runs(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """Return the walks, two at most, whose ids begin so, as they were kept."""
    rows = connection.execute(
        "SELECT document FROM gate_runs WHERE run_id BETWEEN ? AND ? LIMIT 2",
        (beginning, beginning + AFTER_ANY),
    )
    return [row[0] for row in rows]


def of_journey(connection: sqlite3.Connection, journey: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest gates in which a journey votes, newest first."""
    return _read(
        connection,
        "EXISTS (SELECT 1 FROM json_each(document, '$.journeys') WHERE value = ?)",
        (journey,),
        limit,
    )


def of_site(
    connection: sqlite3.Connection, site: str, since: float, until: float, limit: int
) -> list[dict[str, Any]]:
    """Return the gates of a site that were asked for between two moments, newest first."""
    return _read(connection, "site = ? AND asked_at BETWEEN ? AND ?", (site, since, until), limit)


def pending(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return this replica's gates that have no verdict, oldest first."""
    found = _read(connection, "verdict = ? AND NOT elsewhere", (PENDING,), _KEPT)
    return found[::-1]


def calling(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return this replica's gates whose roll-back hook is being called, oldest first."""
    calling = "document ->> '$.hook.state' = 'calling' AND NOT elsewhere"
    found = _read(connection, calling, (), _KEPT)
    return found[::-1]


def _forget(connection: sqlite3.Connection) -> None:
    """Let the oldest go."""
    connection.execute(
        "DELETE FROM gates WHERE (verdict <> ? OR elsewhere) AND id NOT IN ("
        "SELECT id FROM gates ORDER BY asked_at DESC LIMIT ?)",
        (PENDING, _KEPT),
    )
    connection.execute("DELETE FROM gate_runs WHERE gate NOT IN (SELECT id FROM gates)")


def _read(
    connection: sqlite3.Connection, where: str, values: Sequence[object], limit: int
) -> list[dict[str, Any]]:
    rows = connection.execute(
        f"SELECT document FROM gates WHERE {where} ORDER BY asked_at DESC LIMIT ?",  # noqa: S608 - no values
        (*values, limit),
    )
    return [json.loads(row[0]) for row in rows]
