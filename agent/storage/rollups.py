"""The slots of each journey rolled up by UTC day, and by hour, written as each slot ends.

So bars and uptime reach beyond the slots and the runs that are kept. Only slots count: closer
runs, and what is walked by hand, have none. A slot belongs to the stretch in which it was
scheduled, by the wall clock as it was when the slot was decided.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, Final

from agent.storage.rollup import Rollup
from agent.storage.tally import Tally

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.core.results import Result
    from agent.storage.rollup import Walked

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rollups (
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    length INTEGER NOT NULL CHECK (length IN (3600, 86400)),
    at INTEGER NOT NULL,                -- Unix seconds in which the stretch begins
    passed INTEGER NOT NULL DEFAULT 0,
    flaky INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    not_measured INTEGER NOT NULL DEFAULT 0,
    suspended INTEGER NOT NULL DEFAULT 0,
    passed_over INTEGER NOT NULL DEFAULT 0,
    slow INTEGER NOT NULL DEFAULT 0,
    silenced INTEGER NOT NULL DEFAULT 0,
    skipped TEXT NOT NULL DEFAULT '{}',     -- by reason: how many, Unix seconds of the last
    durations TEXT NOT NULL DEFAULT '{}',   -- of passes and flakies: see ``durations``
    steps TEXT NOT NULL DEFAULT '{}',       -- fails by the step that failed
    PRIMARY KEY (location, length, journey, at)
) WITHOUT ROWID;
"""

HOUR: Final = 3600
DAY: Final = 86_400
LENGTHS: Final = (HOUR, DAY)
_HOURS_AROUND: Final = 2 * DAY
"""Seconds for which hours are kept, either way."""
_DAYS_KEPT: Final = 400
"""Of each journey, the newest."""
_MOST_JOURNEYS: Final = 2_000
_COUNTS: Final = tuple(Tally.__slots__)
_COLUMNS: Final = ", ".join((*_COUNTS, "skipped", "durations", "steps"))
_INTO: Final = f"INTO rollups (journey, location, length, at, {_COLUMNS}) VALUES"

Key = tuple[str, str]
"""Journey and location."""


def begin_of(at: float, length: int) -> int:
    """Return when the stretch of a moment begins; both in Unix seconds."""
    return int(at // length) * length


def add_walk(
    connection: sqlite3.Connection, key: Key, at: float, result: Result, walked: Walked
) -> None:
    """Count a slot at Unix time ``at`` that was walked."""
    for length in LENGTHS:
        begin = begin_of(at, length)
        known = _at(connection, key, length, begin)
        found = known or Rollup()
        found.walk(result, walked)
        _write(connection, key, length, begin, found, is_new=known is None)


def add_skips(
    connection: sqlite3.Connection, key: Key, times: Sequence[float], reason: str
) -> None:
    """Count slots at these Unix times that were skipped."""
    for length in LENGTHS:
        by_begin: dict[int, list[float]] = defaultdict(list)
        for at in times:
            by_begin[begin_of(at, length)].append(at)
        for begin, some in by_begin.items():
            known = _at(connection, key, length, begin)
            found = known or Rollup()
            found.skip(reason, some)
            _write(connection, key, length, begin, found, is_new=known is None)


def write_missing(
    connection: sqlite3.Connection, key: Key, length: int, begin: int, found: Rollup
) -> None:
    """Write down a stretch unless something is known of it."""
    if _at(connection, key, length, begin) is None:
        _write(connection, key, length, begin, found, is_new=True)


def is_begun(connection: sqlite3.Connection) -> bool:
    """Whether anything was ever rolled up."""
    return connection.execute("SELECT 1 FROM rollups LIMIT 1").fetchone() is not None


def read(
    connection: sqlite3.Connection, key: Key, length: int, times: tuple[float, float]
) -> dict[int, Rollup]:
    """Return the stretches from the one of a Unix time on and before another, by their begin.

    Those in which no slot ended are left out.
    """
    journey, location = key
    rows = connection.execute(
        f"SELECT at, {_COLUMNS} FROM rollups "  # noqa: S608 - names of our own
        "WHERE location = ? AND length = ? AND journey = ? AND at >= ? AND at < ?",
        (location, length, journey, begin_of(times[0], length), times[1]),
    )
    return {row[0]: _of(tuple(row)[1:]) for row in rows}


def tallies(
    connection: sqlite3.Connection,
    location: str,
    journeys: Sequence[str],
    length: int,
    times: tuple[float, float],
) -> dict[str, dict[int, Tally]]:
    """Return the counts alone, of several journeys by name, from and before these Unix times."""
    rows = connection.execute(
        f"SELECT journey, at, {', '.join(_COUNTS)} FROM rollups "  # noqa: S608 - as above
        "WHERE location = ? AND length = ? AND at >= ? AND at < ? "
        "AND journey IN (SELECT value FROM json_each(?))",
        (location, length, begin_of(times[0], length), times[1], _dumps(journeys)),
    )
    found: dict[str, dict[int, Tally]] = {name: {} for name in journeys}
    for journey, at, *counts in rows:
        found[journey][at] = Tally(*counts)
    return found


def sums(
    connection: sqlite3.Connection,
    location: str,
    journeys: Sequence[str],
    length: int,
    times: tuple[float, float],
) -> dict[str, Tally]:
    """Return what those stretches of each journey came to together."""
    counted = ", ".join(f"sum({name})" for name in _COUNTS)
    rows = connection.execute(
        f"SELECT journey, {counted} FROM rollups "  # noqa: S608 - as above
        "WHERE location = ? AND length = ? AND at >= ? AND at < ? "
        "AND journey IN (SELECT value FROM json_each(?)) GROUP BY journey",
        (location, length, begin_of(times[0], length), times[1], _dumps(journeys)),
    )
    return dict.fromkeys(journeys, Tally()) | {row[0]: Tally(*tuple(row)[1:]) for row in rows}


def forget_the_oldest(connection: sqlite3.Connection) -> None:
    """Let go of the journeys that have not had a slot for longest, where there are too many."""
    connection.execute(
        "DELETE FROM rollups WHERE (location, journey) NOT IN (SELECT location, journey "
        "FROM rollups GROUP BY location, journey ORDER BY max(at) DESC LIMIT ?)",
        (_MOST_JOURNEYS,),
    )


def _at(connection: sqlite3.Connection, key: Key, length: int, begin: int) -> Rollup | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM rollups "  # noqa: S608 - as above
        "WHERE location = ? AND length = ? AND journey = ? AND at = ?",
        (key[1], length, key[0], begin),
    ).fetchone()
    return None if row is None else _of(tuple(row))


def _write(
    connection: sqlite3.Connection,
    key: Key,
    length: int,
    begin: int,
    found: Rollup,
    *,
    is_new: bool,
) -> None:
    journey, location = key
    told = {reason: (count, found.skipped_at[reason]) for reason, count in found.skipped.items()}
    texts = [_dumps(told), _dumps(found.durations), _dumps(found.steps)]
    values = [journey, location, length, begin, *astuple(found.tally), *texts]
    connection.execute(f"INSERT OR REPLACE {_INTO} ({', '.join('?' * len(values))})", values)
    if is_new:
        _let_go(connection, key, length, begin)


def _let_go(connection: sqlite3.Connection, key: Key, length: int, begin: int) -> None:
    """Let go of hours far from the one that has just begun, and of the oldest days.

    A clock that is wrong for a while must not take the days with it: so they go by their number.
    """
    given = {
        "journey": key[0],
        "location": key[1],
        "length": length,
        "first": begin - _HOURS_AROUND,
        "last": begin + _HOURS_AROUND,
        "kept": _DAYS_KEPT,
    }
    of_it = "FROM rollups WHERE location = :location AND length = :length AND journey = :journey"
    if length == HOUR:
        connection.execute(f"DELETE {of_it} AND at NOT BETWEEN :first AND :last", given)
    else:
        oldest = f"SELECT at {of_it} ORDER BY at DESC LIMIT 1 OFFSET :kept"
        connection.execute(f"DELETE {of_it} AND at <= ({oldest})", given)


def _of(row: tuple[Any, ...]) -> Rollup:
    *counts, skipped, durations, steps = row
    told = json.loads(skipped)
    return Rollup(
        Tally(*counts),
        Counter({reason: count for reason, (count, _) in told.items()}),
        {reason: at for reason, (_, at) in told.items()},
        Counter(json.loads(durations)),
        Counter(json.loads(steps)),
    )


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
