"""An incident as one document: taken out of one database and put into others as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

Copy = dict[str, Any]
"""``incident`` has the row of that table, ``outages`` and ``moments`` those of theirs."""

_PARTS: Final = {"outages": "outages", "moments": "incident_moments"}


def take_out(connection: sqlite3.Connection, number: int) -> Copy | None:
    """Return an incident with all that belongs to it; None: there is none such."""
    row = connection.execute("SELECT * FROM incidents WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    copy: Copy = {"incident": dict(row)}
    for part, table in _PARTS.items():
        rows = connection.execute(
            f"SELECT * FROM {table} WHERE incident = ? ORDER BY id",  # noqa: S608 - names of our own
            (number,),
        )
        # Their own numbers are each database's, and their order tells the same.
        copy[part] = [
            {name: value for name, value in dict(one).items() if name != "id"} for one in rows
        ]
    return copy


def put_in(connection: sqlite3.Connection, copy: Copy) -> None:
    """Keep an incident as it was taken out elsewhere, in place of what has its number."""
    number = copy["incident"]["id"]
    drop(connection, [number])
    _insert(connection, "incidents", copy["incident"])
    for part, table in _PARTS.items():
        for row in copy[part]:
            _insert(connection, table, row)


def drop(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Forget incidents with all that belongs to them."""
    for number in numbers:
        connection.execute("DELETE FROM incidents WHERE id = ?", (number,))
        for table in _PARTS.values():
            connection.execute(
                f"DELETE FROM {table} WHERE incident = ?",  # noqa: S608 - names of our own
                (number,),
            )


def numbers(connection: sqlite3.Connection, location: str) -> list[int]:
    """Return the numbers of all that are kept of a location, the newest first."""
    rows = connection.execute(
        "SELECT id FROM incidents WHERE location = ? ORDER BY id DESC", (location,)
    )
    return [row[0] for row in rows]


def drop_all_but(
    connection: sqlite3.Connection, location: str, known: Collection[int]
) -> list[int]:
    """Forget all of a location but those of these numbers; return which that were."""
    gone = [number for number in numbers(connection, location) if number not in known]
    drop(connection, gone)
    return gone


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    known = {one[1] for one in connection.execute(f"PRAGMA table_info({table})")}
    # What another version of the agent knows of it, and this one doesn't, is left out.
    given = {name: value for name, value in row.items() if name in known}
    connection.execute(
        f"INSERT OR REPLACE INTO {table} ({', '.join(given)}) "  # noqa: S608 - names of our own
        f"VALUES ({', '.join(f':{name}' for name in given)})",
        given,
    )
