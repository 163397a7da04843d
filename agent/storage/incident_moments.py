"""The time line of an incident: fails, passes, what suspended its journeys, and people's notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.core.suspension import Cause, Mode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.core.suspension import Suspension
    from agent.storage.run_end import RunEnd

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS incident_moments (
    id INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL,
    at REAL NOT NULL,                   -- Unix seconds
    kind TEXT NOT NULL,
    journey TEXT,
    run_id TEXT,
    text TEXT NOT NULL DEFAULT '',
    who TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS moments_by_incident ON incident_moments (incident, at);
"""

_MOST: Final = 300
"""Of one incident; that it went down and passed is told beyond that."""
MOST_NOTES: Final = 100
"""Of one incident."""


def add_note(connection: sqlite3.Connection, number: int, now: float, who: str, text: str) -> bool:
    """Add a person's note at Unix time ``now``; False where there are too many already."""
    (notes,) = connection.execute(
        "SELECT count(*) FROM incident_moments WHERE incident = ? AND kind = 'note'", (number,)
    ).fetchone()
    if notes >= MOST_NOTES:
        return False
    add(connection, number, now, "note", text=text, who=who)
    return True


def note_suspensions(
    connection: sqlite3.Connection, number: int, run: RunEnd, over: Sequence[Suspension]
) -> None:
    """Note when what suspended a run's journey began since the incident did, and ended."""
    (began,) = connection.execute(
        "SELECT began_at FROM incidents WHERE id = ?", (number,)
    ).fetchone()
    for one in over:
        if one.until is not None and one.until < began:
            continue
        _add_once(connection, number, one.since, "suspended", _words(one), one.who)
        if one.until is not None and one.until <= run.ended_at:
            _add_once(connection, number, one.until, "resumed", _words(one), "")


def _words(one: Suspension) -> str:
    what = "paused" if one.cause is Cause.PAUSE else "maintenance"
    how = "" if one.mode is Mode.STOP else ", walked on in silence"
    return f"{what}{how}: {one.reason}" if one.reason else f"{what}{how}"


def _add_once(
    connection: sqlite3.Connection, number: int, at: float, kind: str, text: str, who: str
) -> None:
    known = connection.execute(
        "SELECT 1 FROM incident_moments WHERE incident = ? AND at = ? AND kind = ? AND text = ?",
        (number, at, kind, text),
    ).fetchone()
    if known is None and has_room(connection, number):
        add(connection, number, at, kind, text=text, who=who)


def add(
    connection: sqlite3.Connection,
    number: int,
    at: float,
    kind: str,
    journey: str | None = None,
    run_id: str | None = None,
    text: str = "",
    who: str = "",
) -> None:
    """Note a moment of an incident, at a Unix time."""
    connection.execute(
        "INSERT INTO incident_moments (incident, at, kind, journey, run_id, text, who) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, at, kind, journey, run_id or None, text, who),
    )


def has_room(connection: sqlite3.Connection, number: int) -> bool:
    """Whether there are few enough moments for one that need not be told."""
    (moments,) = connection.execute(
        "SELECT count(*) FROM incident_moments WHERE incident = ?", (number,)
    ).fetchone()
    return int(moments) < _MOST
