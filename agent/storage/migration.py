"""Taking up a file that another version of the agent wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS = ("table", "index", "trigger")


def migrate(connection: sqlite3.Connection, schemas: Iterable[str]) -> list[str]:
    """Give each table that is defined otherwise its new form; return their names.

    Rows keep the columns that stayed, and new columns their defaults. A row that the new form
    does not allow goes. What is not known here stays as it is: an older agent may find its own
    again. All of it is one transaction. Indexes and triggers that are defined otherwise are
    dropped, for the schemas to make them anew.
    """
    with closing(sqlite3.connect(":memory:")) as model:
        for schema in schemas:
            model.executescript(schema)
        wanted = {kind: _defined(model, kind) for kind in _KINDS}
        columns = {name: _columns(model, name) for name in wanted["table"]}
    found = {kind: _defined(connection, kind) for kind in _KINDS}
    changed = {
        kind: [name for name, sql in wanted[kind].items() if found[kind].get(name, sql) != sql]
        for kind in _KINDS
    }
    if not any(changed.values()):
        return []
    # What triggers would do to rows that are only moved was done when those were written.
    triggers = found["trigger"] if changed["table"] else changed["trigger"]
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for name in changed["index"]:
            connection.execute(f"DROP INDEX {name}")
        for name in changed["table"]:
            kept = ", ".join(sorted(columns[name] & _columns(connection, name)))
            _rebuild(connection, name, wanted["table"][name], kept)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            # SQLite has done it by itself, where the disk is full, say.
            connection.execute("ROLLBACK")
        raise
    return changed["table"]


def _rebuild(connection: sqlite3.Connection, name: str, sql: str, kept: str) -> None:
    """Make a table anew as ``sql`` says, with the columns of its rows that are ``kept``."""
    # Not renamed: SQLite would write the definition anew, and it would never fit again.
    moved = f"SELECT {kept or 'NULL'} FROM {name}"  # noqa: S608 - names of our own schema
    connection.execute(f"CREATE TEMP TABLE moved AS {moved}")
    connection.execute(f"DROP TABLE {name}")
    connection.execute(sql)
    if kept:
        connection.execute(
            f"INSERT OR IGNORE INTO {name} ({kept}) SELECT {kept} FROM moved"  # noqa: S608 - as above
        )
    connection.execute("DROP TABLE moved")


def _defined(connection: sqlite3.Connection, kind: str) -> dict[str, str]:
    """Return what of a kind is defined, by name; SQLite's own things have no definition."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL"
    rows = connection.execute(f"{query} AND name NOT LIKE 'sqlite_%'", (kind,))
    return dict(rows.fetchall())


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})")}
