"""How long the last passes of journeys took, read beside whoever writes them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PASSED = "('pass', 'flaky')"


def last_durations(database: Path, journeys: Sequence[str], count: int) -> dict[str, list[float]]:
    """Return the seconds of up to ``count`` newest passes of each journey that has any.

    Nothing where there is no such database, or none that can be read.
    """
    if not database.is_file():
        return {}
    found: dict[str, list[float]] = {}
    try:
        # Where no agent writes, to open it must not leave files that are another user's.
        idle = "" if database.with_name(f"{database.name}-wal").exists() else "&immutable=1"
        address = f"{database.absolute().as_uri()}?mode=ro{idle}"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            for name in journeys:
                rows = connection.execute(
                    f"SELECT document FROM runs WHERE journey = ? AND result IN {_PASSED} "  # noqa: S608
                    "ORDER BY ended_at DESC LIMIT ?",
                    (name, count),
                )
                if seconds := [float(json.loads(row[0])["duration"]) for row in rows]:
                    found[name] = seconds
    except (sqlite3.Error, KeyError, TypeError, ValueError):
        return {}
    return found
