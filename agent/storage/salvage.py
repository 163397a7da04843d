"""Saving what can be read of a damaged database."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEPT = 2
"""Damaged files that stay, for whoever wants to look; the newest."""
_WRITTEN = re.compile(r"INSERT\s+INTO\s+(\w+)", re.IGNORECASE)


def set_aside(path: Path, now: float) -> Path:
    """Move a database and its log away, and let go of older ones; return where it lies."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    # The log first: it must never be taken for that of the fresh file.
    for ending in ("-wal", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    older = sorted(one for one in path.parent.glob(f"{path.name}.damaged-*Z"))
    for one in older[:-_KEPT]:
        for ending in ("-wal", "-shm", ""):
            one.with_name(one.name + ending).unlink(missing_ok=True)
    return aside


def copy(damaged: Path, fresh: sqlite3.Connection) -> dict[str, int]:
    """Copy every row that can be read into the same tables of ``fresh``.

    Tables that triggers keep are filled by those, from the rows that were saved.

    Returns:
        The rows saved of each table.

    """
    triggers = "".join(sql for (sql,) in fresh.execute(_NAMED.format("sql", "trigger")))
    kept_by_triggers = set(_WRITTEN.findall(triggers))
    saved = {}
    with closing(sqlite3.connect(damaged)) as source:
        for (table,) in fresh.execute(_NAMED.format("name", "table")).fetchall():
            if table not in kept_by_triggers:
                saved[table] = _copy_table(source, fresh, table)
    return saved


_NAMED = "SELECT {} FROM sqlite_master WHERE type = '{}' AND name NOT LIKE 'sqlite_%'"


def _copy_table(source: sqlite3.Connection, fresh: sqlite3.Connection, table: str) -> int:
    columns = fresh.execute(f"PRAGMA table_info({table})").fetchall()
    names = ", ".join(f'"{column["name"]}"' for column in columns)
    places = ", ".join("?" * len(columns))
    # A table without a key of its own goes by its row number.
    keys = [f'"{c["name"]}"' for c in sorted(columns, key=lambda c: c["pk"]) if c["pk"]] or [
        "rowid"
    ]
    saved = 0
    fresh.execute("BEGIN")
    # From both ends, since reading stops at the first page that is unreadable.
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{key} {order}" for key in keys)
        rows = _readable(source, f"SELECT {names} FROM {table} ORDER BY {by}")  # noqa: S608 - names of our own schema
        first = True
        for row in chain(rows):
            with suppress(sqlite3.IntegrityError):
                inserted = fresh.execute(
                    f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - as above
                    row,
                ).rowcount
                saved += inserted
                if order == "DESC" and not inserted and not first:
                    break
            first = False
    fresh.execute("COMMIT")
    return saved


def _readable(source: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    with suppress(sqlite3.Error, UnicodeDecodeError):
        yield from source.execute(query)
