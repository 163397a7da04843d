"""Incidents as they are read: what was down at one site, from when to when, and its time line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

Ending = Literal["pass", "gone"]
MomentKind = Literal["fail", "down", "pass", "gone", "suspended", "resumed", "note"]


@dataclass(frozen=True, slots=True)
class Outage:
    """The time for which one journey was down. Times are Unix seconds, as all here."""

    journey: str
    severity: str
    owner: str
    runbook: str
    began_at: float
    """When the first of its fails in a row started."""
    opened_at: float
    """When they were enough."""
    ended_at: float | None
    ended_by: Ending | None
    """``pass``, or ``gone``: the journey is no longer loaded or enabled."""
    fails: int
    error_type: str
    error: str
    """Of the first fail, in a line, as ``step`` and ``run_id``."""
    step: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the time line."""

    at: float
    kind: MomentKind
    journey: str | None
    run_id: str | None
    text: str
    who: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; ``ended_at`` is None while it is open."""

    number: int
    location: str
    site: str
    began_at: float
    opened_at: float
    ended_at: float | None
    outages: list[Outage] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)


def newest(
    connection: sqlite3.Connection, location: str, limit: int, before: int | None = None
) -> list[Incident]:
    """Return the open ones, and then the newest of the others: ``limit`` in all.

    With ``before`` only those that are over and have a lower number.
    """
    over = "" if before is None else "AND ended_at IS NOT NULL AND id < :before"
    return _read(
        connection,
        f"SELECT * FROM incidents WHERE location = :location {over} "  # noqa: S608 - no values
        "ORDER BY ended_at IS NULL DESC, id DESC LIMIT :limit",
        {"location": location, "limit": limit, "before": before},
    )


def open_ones(connection: sqlite3.Connection, location: str) -> list[Incident]:
    """Return those that are open, the oldest first."""
    query = "SELECT * FROM incidents WHERE location = :location AND ended_at IS NULL ORDER BY id"
    return _read(connection, query, {"location": location})


def of_journey(
    connection: sqlite3.Connection, location: str, journey: str, limit: int
) -> list[Incident]:
    """Return the newest that a journey was part of, the newest first."""
    return _read(
        connection,
        "SELECT * FROM incidents WHERE id IN (SELECT incident FROM outages "
        "WHERE location = :location AND journey = :journey ORDER BY id DESC LIMIT :most) "
        "ORDER BY id DESC LIMIT :limit",
        # One may have been down several times within an incident.
        {"location": location, "journey": journey, "limit": limit, "most": 10 * limit},
    )


def find(connection: sqlite3.Connection, number: int) -> Incident | None:
    """Return the one of a number; None: there is none such, or no longer."""
    found = _read(connection, "SELECT * FROM incidents WHERE id = :number", {"number": number})
    return found[0] if found else None


def numbers(connection: sqlite3.Connection, location: str) -> dict[str, int]:
    """Return in which open incident each journey is that is down now."""
    rows = connection.execute(
        "SELECT journey, incident FROM outages WHERE location = ? AND ended_at IS NULL",
        (location,),
    )
    return {row[0]: row[1] for row in rows}


def at(
    connection: sqlite3.Connection, key: tuple[str, str], began: float, ended: float
) -> int | None:
    """Return the incident in which (journey, location) was down at some time of these."""
    row = connection.execute(
        "SELECT incident FROM outages WHERE journey = ? AND location = ? AND began_at <= ? "
        "AND coalesce(ended_at, ?) >= ? ORDER BY id DESC LIMIT 1",
        (*key, ended, ended, began),
    ).fetchone()
    return None if row is None else int(row[0])


def _read(connection: sqlite3.Connection, query: str, given: dict[str, Any]) -> list[Incident]:
    found = {row["id"]: Incident(*tuple(row)) for row in connection.execute(query, given)}
    columns = ", ".join(Outage.__slots__)
    for number, *rest in _parts(connection, "outages", columns, "id", list(found)):
        found[number].outages.append(Outage(*rest))
    columns = ", ".join(Moment.__slots__)
    for number, *rest in _parts(connection, "incident_moments", columns, "at, id", list(found)):
        found[number].moments.append(Moment(*rest))
    return list(found.values())


def _parts(
    connection: sqlite3.Connection, table: str, columns: str, order: str, numbers: Sequence[int]
) -> Sequence[Any]:
    wanted = ", ".join(map(str, numbers))
    return connection.execute(
        f"SELECT incident, {columns} FROM {table} WHERE incident IN ({wanted}) ORDER BY {order}"  # noqa: S608 - names of our own, and numbers
    ).fetchall()
