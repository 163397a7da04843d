"""Incidents, written as runs end: opened, joined and closed in the transaction of the run.

A journey is down from its so many-th fail in a row until its first pass. What is down at one
site within a quarter of an hour of each other is one incident. While a pause or a window holds a
journey none is opened for it; after that the next fail opens it, with its true beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.core.results import Result
from agent.storage import incident_moments, journey_state

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from agent.core.model import Journey
    from agent.core.suspension import Suspension
    from agent.storage.run_end import RunEnd

SCHEMA: Final = f"""{incident_moments.SCHEMA}
CREATE TABLE IF NOT EXISTS incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    site TEXT NOT NULL,
    began_at REAL NOT NULL,             -- Unix seconds, as every time here
    opened_at REAL NOT NULL,
    ended_at REAL                       -- NULL: it is open
);
CREATE INDEX IF NOT EXISTS incidents_open ON incidents (location, id) WHERE ended_at IS NULL;
CREATE TABLE IF NOT EXISTS outages (
    id INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL,
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    severity TEXT NOT NULL,
    owner TEXT NOT NULL,
    runbook TEXT NOT NULL,
    began_at REAL NOT NULL,
    opened_at REAL NOT NULL,
    ended_at REAL,
    ended_by TEXT CHECK (ended_by IN ('pass', 'gone')),
    fails INTEGER NOT NULL,
    error_type TEXT NOT NULL,           -- of the first fail, as what follows
    error TEXT NOT NULL,
    step TEXT NOT NULL,
    run_id TEXT,
    last_error_type TEXT NOT NULL,
    last_step TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outages_by_incident ON outages (incident);
CREATE INDEX IF NOT EXISTS outages_by_journey ON outages (location, journey, id);
CREATE INDEX IF NOT EXISTS outages_open ON outages (location, journey) WHERE ended_at IS NULL;
"""

JOINED: Final = 15 * 60.0
"""Seconds within which outages of one site are one incident."""
_KEPT: Final = 2_000
_MOST_OUTAGES: Final = 100
"""Of one incident; the next one is another's."""


def note(
    connection: sqlite3.Connection, run: RunEnd, journey: Journey, over: Sequence[Suspension]
) -> None:
    """Take a finished run in, once it has moved how its journey stands.

    ``over`` is what suspended the journey at some moment since the run began, or before that as
    far as it is known.
    """
    held = any(one.until is None or one.until > run.started_at for one in over)
    if run.result in {Result.PASS, Result.FLAKY}:
        _end(connection, run, "pass")
    elif run.result is Result.FAIL:
        _fail(connection, run, journey, held=held)
    for number in _of(connection, run):
        incident_moments.note_suspensions(connection, number, run, over)


def end_gone(
    connection: sqlite3.Connection, location: str, enabled: Collection[str], now: float
) -> None:
    """End the outages of journeys that are no longer walked: none of them would ever pass."""
    rows = connection.execute(
        "SELECT id, incident, journey FROM outages WHERE location = ? AND ended_at IS NULL",
        (location,),
    ).fetchall()
    for outage, number, journey in rows:
        if journey not in enabled:
            _close(connection, outage, number, now, "gone")
            incident_moments.add(connection, number, now, "gone", journey)


def is_known(connection: sqlite3.Connection, number: int) -> bool:
    """Whether there is an incident of this number, or still is."""
    query = "SELECT 1 FROM incidents WHERE id = ?"
    return connection.execute(query, (number,)).fetchone() is not None


def set_back(connection: sqlite3.Connection, seconds: float, now: float) -> None:
    """Move what is from the future along with a wall clock that was set back to ``now``."""
    for table, columns in (
        ("incidents", ("began_at", "opened_at", "ended_at")),
        ("outages", ("began_at", "opened_at", "ended_at")),
        ("incident_moments", ("at",)),
    ):
        for column in columns:
            connection.execute(
                f"UPDATE {table} SET {column} = min({column} - :seconds, :now) "  # noqa: S608 - names of our own
                f"WHERE {column} > :now",
                {"seconds": seconds, "now": now},
            )


def repair(connection: sqlite3.Connection) -> None:
    """Make what is left after damage agree: no outage without an incident, none open for ever.

    What is still down opens anew with its next fail.
    """
    for table in ("outages", "incident_moments"):
        connection.execute(
            f"DELETE FROM {table} WHERE incident NOT IN (SELECT id FROM incidents)"  # noqa: S608 - as above
        )
    connection.execute("DELETE FROM incidents WHERE id NOT IN (SELECT incident FROM outages)")
    connection.execute(
        "UPDATE incidents SET ended_at = (SELECT iif(count(*) = count(ended_at), max(ended_at), "
        "NULL) FROM outages WHERE incident = incidents.id)"
    )


def _fail(connection: sqlite3.Connection, run: RunEnd, journey: Journey, *, held: bool) -> None:
    row = connection.execute(
        "SELECT id, incident, last_error_type, last_step FROM outages "
        "WHERE location = ? AND journey = ? AND ended_at IS NULL",
        (run.location, run.journey),
    ).fetchone()
    if row is None:
        if not held:
            _open(connection, run, journey)
        return
    outage, number, error_type, step = row
    connection.execute(
        "UPDATE outages SET fails = fails + 1, last_error_type = ?, last_step = ? WHERE id = ?",
        (run.error_type, run.step, outage),
    )
    if (error_type, step) != (run.error_type, run.step) and incident_moments.has_room(
        connection, number
    ):
        incident_moments.add(
            connection, number, run.started_at, "fail", run.journey, run.run_id, run.error
        )


def _open(connection: sqlite3.Connection, run: RunEnd, journey: Journey) -> None:
    """Open an outage, once there are enough fails in a row."""
    failing = journey_state.failing(connection, run)
    if failing.fails < run.down_after:
        return
    site = journey.site.name
    number = _joined(connection, run.location, site, failing.since)
    if number is None:
        (number,) = connection.execute(
            "INSERT INTO incidents (location, site, began_at, opened_at) VALUES (?, ?, ?, ?) "
            "RETURNING id",
            (run.location, site, failing.since, run.ended_at),
        ).fetchone()
        _let_go(connection)
    connection.execute(
        "UPDATE incidents SET ended_at = NULL, began_at = min(began_at, ?) WHERE id = ?",
        (failing.since, number),
    )
    of = journey.severity, journey.owner, journey.runbook
    first = failing.error_type, failing.error, failing.step, failing.run_id
    connection.execute(
        "INSERT INTO outages (incident, journey, location, severity, owner, runbook, began_at, "
        "opened_at, fails, error_type, error, step, run_id, last_error_type, last_step) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(number, run.journey, run.location, *of),
            *(failing.since, run.ended_at, failing.fails, *first),
            *(run.error_type, run.step),
        ),
    )
    incident_moments.add(
        connection, number, failing.since, "fail", run.journey, failing.run_id, failing.error
    )
    fails = f"{failing.fails} fails in a row"
    incident_moments.add(connection, number, run.ended_at, "down", run.journey, run.run_id, fails)


def _joined(connection: sqlite3.Connection, location: str, site: str, began: float) -> int | None:
    """Return the incident of a site that an outage which began then is part of."""
    row = connection.execute(
        "SELECT id FROM incidents WHERE location = :location AND site = :site "
        "AND coalesce(ended_at, :began) + :joined >= :began "
        "AND (SELECT count(*) FROM outages WHERE incident = incidents.id) < :most "
        "ORDER BY id DESC LIMIT 1",
        {
            "location": location,
            "site": site,
            "began": began,
            "joined": JOINED,
            "most": _MOST_OUTAGES,
        },
    ).fetchone()
    return None if row is None else int(row[0])


def _end(connection: sqlite3.Connection, run: RunEnd, by: str) -> None:
    rows = connection.execute(
        "SELECT id, incident FROM outages WHERE location = ? AND journey = ? AND ended_at IS NULL",
        (run.location, run.journey),
    ).fetchall()
    for outage, number in rows:
        _close(connection, outage, number, run.ended_at, by)
        incident_moments.add(connection, number, run.ended_at, "pass", run.journey, run.run_id)


def _close(connection: sqlite3.Connection, outage: int, number: int, now: float, by: str) -> None:
    connection.execute(
        "UPDATE outages SET ended_at = ?, ended_by = ? WHERE id = ?", (now, by, outage)
    )
    connection.execute(
        "UPDATE incidents SET ended_at = (SELECT max(ended_at) FROM outages WHERE incident = :id) "
        "WHERE id = :id AND NOT EXISTS "
        "(SELECT 1 FROM outages WHERE incident = :id AND ended_at IS NULL)",
        {"id": number},
    )


def _of(connection: sqlite3.Connection, run: RunEnd) -> list[int]:
    """Return the incidents that a run is part of: that is open for it, or has just ended by it."""
    rows = connection.execute(
        "SELECT incident FROM outages WHERE location = ? AND journey = ? "
        "AND coalesce(ended_at, ?) >= ?",
        (run.location, run.journey, run.ended_at, run.ended_at),
    )
    return [row[0] for row in rows]


def _let_go(connection: sqlite3.Connection) -> None:
    """Let go of the oldest that are over."""
    connection.execute(
        "DELETE FROM incidents WHERE ended_at IS NOT NULL AND id <= "
        "(SELECT id FROM incidents ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (_KEPT,),
    )
    for table in ("outages", "incident_moments"):
        connection.execute(
            f"DELETE FROM {table} WHERE incident < (SELECT min(id) FROM incidents)"  # noqa: S608 - names of our own
        )
