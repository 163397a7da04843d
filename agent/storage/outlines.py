"""Outlines of each journey's last passes, the newest kept.

Twenty are kept, of some kilobytes each: five are what a failure is compared with, and the older
ones tell what comes and goes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from agent.core.outline import OUTLINE

if TYPE_CHECKING:
    import sqlite3

    from agent.core.outline import Outline

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outlines (
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    ended_at REAL NOT NULL,             -- Unix seconds, in time that never goes back
    outline BLOB NOT NULL,              -- JSON, deflated
    PRIMARY KEY (journey, location, ended_at)
) WITHOUT ROWID;
"""

_KEPT: Final = 20
_LARGEST: Final = 1024 * 1024
"""Bytes of an outline that are taken up again: what is larger is damaged."""


def add(
    connection: sqlite3.Connection, journey: str, location: str, ended_at: float, outline: Outline
) -> None:
    """Keep a pass's outline, and let the journey's oldest go."""
    packed = zlib.compress(OUTLINE.dump_json(outline, exclude_defaults=True))
    connection.execute(
        "INSERT OR REPLACE INTO outlines VALUES (?, ?, ?, ?)",
        (journey, location, ended_at, packed),
    )
    connection.execute(
        "DELETE FROM outlines WHERE journey = :journey AND location = :location AND ended_at <= ("
        "SELECT ended_at FROM outlines WHERE journey = :journey AND location = :location "
        "ORDER BY ended_at DESC LIMIT 1 OFFSET :kept)",
        {"journey": journey, "location": location, "kept": _KEPT},
    )


def prune(connection: sqlite3.Connection, before: float) -> None:
    """Let go of what ended before a moment, in Unix seconds."""
    connection.execute("DELETE FROM outlines WHERE ended_at < ?", (before,))


def newest(connection: sqlite3.Connection, journey: str, location: str) -> list[Outline]:
    """Return those that are kept of a journey's passes, the newest first.

    One that can't be read any more, of another version of the agent say, is left out.
    """
    rows = connection.execute(
        "SELECT outline FROM outlines WHERE journey = ? AND location = ? ORDER BY ended_at DESC",
        (journey, location),
    )
    unpacked = (_unpack(packed) for (packed,) in rows)
    return [outline for outline in unpacked if outline is not None]


def _unpack(packed: bytes) -> Outline | None:
    try:
        return OUTLINE.validate_json(zlib.decompressobj().decompress(packed, _LARGEST))
    except (zlib.error, ValueError):
        return None
