"""The slots of each journey rolled up by UTC day, and by hour, written as each slot ends.

So bars and uptime reach beyond the slots and the runs that are kept. Only slots count: closer
runs, and what is walked by hand, have none. A slot belongs to the stretch in which it was
scheduled, by the wall clock as it was when the slot was decided.

Where several replicas share a location each rolls up the slots that it gave their word. What the
others did stands beside it, and whoever reads gets the sum.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
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
    replica TEXT NOT NULL DEFAULT '',       -- whose slots; '': those of this agent
    PRIMARY KEY (location, length, journey, at, replica)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rollup_versions (
    location TEXT NOT NULL,
    journey TEXT NOT NULL,
    version INTEGER NOT NULL,           -- another one with each change of a journey's roll-ups
    PRIMARY KEY (location, journey)
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
_OWN: Final = "replica = ''"
_SUMS: Final = ", ".join(f"sum({name})" for name in _COUNTS)

Row = dict[str, Any]
"""What one replica's slots of a stretch came to, as plain data: columns and their values."""
Key = tuple[str, str]
"""Journey and location."""
Counts = tuple[int, ...]
"""Those of a ``Tally``, in the order of its fields."""


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
    _note_change(connection, key)


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
    _note_change(connection, key)


def write_missing(
    connection: sqlite3.Connection, key: Key, length: int, begin: int, found: Rollup
) -> None:
    """Write down a stretch unless something is known of it."""
    if _at(connection, key, length, begin) is None:
        _write(connection, key, length, begin, found, is_new=True)
        _note_change(connection, key)


def is_begun(connection: sqlite3.Connection) -> bool:
    """Whether anything was ever rolled up."""
    return connection.execute("SELECT 1 FROM rollups LIMIT 1").fetchone() is not None


def versions(connection: sqlite3.Connection, location: str) -> dict[str, int]:
    """Return for each journey a number that is another one after each change."""
    rows = connection.execute(
        "SELECT journey, version FROM rollup_versions WHERE location = ?", (location,)
    )
    return {row[0]: row[1] for row in rows}


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
    found: dict[int, Rollup] = defaultdict(Rollup)
    for row in rows:
        found[row[0]].add(_of(tuple(row)[1:]))
    return dict(found)


def counts(
    connection: sqlite3.Connection, key: Key, length: int, times: tuple[float, float]
) -> dict[int, Counts]:
    """Return the same, and of it the counts alone: a hundredth of the cost."""
    cursor = connection.cursor()
    cursor.row_factory = None
    journey, location = key
    rows = cursor.execute(
        f"SELECT at, {_SUMS} FROM rollups "  # noqa: S608 - as above
        "WHERE location = ? AND length = ? AND journey = ? AND at >= ? AND at < ? GROUP BY at",
        (location, length, journey, begin_of(times[0], length), times[1]),
    )
    return {row[0]: row[1:] for row in rows}


def skips(
    connection: sqlite3.Connection, key: Key, length: int, times: tuple[float, float]
) -> list[tuple[str, int, float]]:
    """Return what was skipped in those stretches, by reason, that of the newest first.

    That is the reason, how many, and when the last of them was, in Unix seconds.
    """
    journey, location = key
    rows = connection.execute(
        "SELECT key, sum(json_extract(value, '$[0]')), max(json_extract(value, '$[1]')) AS last "
        "FROM rollups, json_each(skipped) WHERE location = ? AND length = ? AND journey = ? "
        "AND at >= ? AND at < ? AND suspended + passed_over > 0 "
        "GROUP BY key ORDER BY last DESC",
        (location, length, journey, begin_of(times[0], length), times[1]),
    )
    return [(reason, count, last) for reason, count, last in rows]


def set_back(connection: sqlite3.Connection, seconds: float, now: float) -> None:
    """Move last skips from the future along with a wall clock that was set back to ``now``."""
    rows = connection.execute(
        "SELECT location, journey, length, at, skipped FROM rollups "  # noqa: S608 - as above
        f"WHERE at + length > ? AND skipped != '{{}}' AND {_OWN}",
        (now,),
    ).fetchall()
    for location, journey, length, begin, skipped in rows:
        moved = {
            reason: (count, min(last - seconds, now) if last > now else last)
            for reason, (count, last) in json.loads(skipped).items()
        }
        connection.execute(
            "UPDATE rollups SET skipped = ? "  # noqa: S608 - as above
            f"WHERE location = ? AND journey = ? AND length = ? AND at = ? AND {_OWN}",
            (_dumps(moved), location, journey, length, begin),
        )
        _note_change(connection, (journey, location))


def own_rows(connection: sqlite3.Connection, key: Key, since: float) -> list[Row]:
    """Return what this agent has rolled up of a journey since a Unix time."""
    rows = connection.execute(
        f"SELECT length, at, {_COLUMNS} FROM rollups "  # noqa: S608 - as above
        f"WHERE journey = ? AND location = ? AND at >= ? AND {_OWN}",
        (*key, since),
    )
    return [dict(row) for row in rows]


def put_in(connection: sqlite3.Connection, replica: str, key: Key, row: Row) -> None:
    """Keep what another replica has rolled up, in place of what was known of that."""
    names = ["length", "at", *_COLUMNS.split(", ")]
    # What another version counts, and this one doesn't, is left out.
    given = {name: row[name] for name in names if name in row}
    given |= {"journey": key[0], "location": key[1], "replica": replica}
    connection.execute(
        f"INSERT OR REPLACE INTO rollups ({', '.join(given)}) "  # noqa: S608 - as above
        f"VALUES ({', '.join(f':{name}' for name in given)})",
        given,
    )
    _let_go(connection, key, row["length"], row["at"], replica)
    _note_change(connection, key)


def forget_the_oldest(connection: sqlite3.Connection) -> None:
    """Let go of the journeys that have not had a slot for longest, where there are too many."""
    connection.execute(
        "DELETE FROM rollups WHERE (location, journey) NOT IN (SELECT location, journey "
        "FROM rollups GROUP BY location, journey ORDER BY max(at) DESC LIMIT ?)",
        (_MOST_JOURNEYS,),
    )


def _note_change(connection: sqlite3.Connection, key: Key) -> None:
    journey, location = key
    connection.execute(
        "INSERT INTO rollup_versions VALUES (?, ?, 1) "
        "ON CONFLICT DO UPDATE SET version = version + 1",
        (location, journey),
    )


def _at(connection: sqlite3.Connection, key: Key, length: int, begin: int) -> Rollup | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM rollups "  # noqa: S608 - as above
        f"WHERE location = ? AND length = ? AND journey = ? AND at = ? AND {_OWN}",
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
    values = [journey, location, length, begin, *found.tally.counts, *texts]
    connection.execute(f"INSERT OR REPLACE {_INTO} ({', '.join('?' * len(values))})", values)
    if is_new:
        _let_go(connection, key, length, begin)


def _let_go(
    connection: sqlite3.Connection, key: Key, length: int, begin: int, replica: str = ""
) -> None:
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
        "replica": replica,
    }
    of_it = (
        "FROM rollups WHERE location = :location AND length = :length AND journey = :journey "
        "AND replica = :replica"
    )
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
