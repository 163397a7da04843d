"""Taking up a file that another version of the agent wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEFINED = "SELECT name, sql FROM sqlite_master WHERE type = '{}' AND name NOT LIKE 'sqlite_%'"


def migrate(connection: sqlite3.Connection, schemas: Iterable[str]) -> list[str]:
    """Give each table that is defined otherwise its new form; return their names.

    Rows keep the columns that stayed, and new columns their defaults. A row that the new form
    does not allow goes. Tables of which nothing is known here stay as they are: an older agent
    may find its own again. All of it is one transaction; indexes and triggers are left to the
    schemas.
    """
    with closing(sqlite3.connect(":memory:")) as model:
        for schema in schemas:
            model.executescript(schema)
        wanted = dict(model.execute(_DEFINED.format("table")).fetchall())
        columns = {name: _columns(model, name) for name in wanted}
    found = dict(connection.execute(_DEFINED.format("table")).fetchall())
    changed = [name for name, sql in wanted.items() if found.get(name, sql) != sql]
    if not changed:
        return []
    connection.execute("BEGIN IMMEDIATE")
    try:
        # What they would do to rows that are only moved was done when those were written.
        for name, _ in connection.execute(_DEFINED.format("trigger")).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for name in changed:
            kept = ", ".join(sorted(columns[name] & _columns(connection, name)))
            # Not renamed: SQLite would write the definition anew, and it would never fit again.
            moved = f"SELECT {kept or 'NULL'} FROM {name}"  # noqa: S608 - names of our own schema
            connection.execute(f"CREATE TEMP TABLE moved AS {moved}")
            connection.execute(f"DROP TABLE {name}")
            connection.execute(wanted[name])
            if kept:
                connection.execute(
                    f"INSERT OR IGNORE INTO {name} ({kept}) SELECT {kept} FROM moved"  # noqa: S608 - as above
                )
            connection.execute("DROP TABLE moved")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            # SQLite has done it by itself, where the disk is full, say.
            connection.execute("ROLLBACK")
        raise
    return changed


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})")}
