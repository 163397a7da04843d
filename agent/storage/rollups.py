"""The slots of each journey rolled up by UTC day, and by hour, written as each slot ends.

So bars and uptime reach beyond the slots and the runs that are kept. Only slots count: closer
runs, and what is walked by hand, have none. A slot belongs to the stretch in which it was
scheduled, by the wall clock as it was when the slot was decided.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from agent.core.results import Result
from agent.storage.durations import bucket_of
from agent.storage.rollup import Rollup, Walked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

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
_MOST_STEPS: Final = 50
_COUNTED: Final = {
    Result.PASS: "passed",
    Result.FLAKY: "flaky",
    Result.FAIL: "failed",
    Result.NOT_MEASURED: "not_measured",
}
_COLUMNS: Final = ", ".join(_COUNTED.values()) + ", slow, silenced, skipped, durations, steps"
_INTO: Final = f"INTO rollups (journey, location, length, at, {_COLUMNS}) VALUES"


def begin_of(at: float, length: int) -> int:
    """Return when the stretch of a moment begins; both in Unix seconds."""
    return int(at // length) * length


def add_walk(
    connection: sqlite3.Connection,
    key: tuple[str, str],
    at: float,
    result: Result,
    walked: Walked,
) -> None:
    """Count a slot of (journey, location) at Unix time ``at`` that was walked."""
    for length in LENGTHS:
        found, is_new = _at(connection, key, at, length)
        found.results[result] += 1
        found.slow += walked.slow
        found.silenced += walked.silenced
        if walked.seconds is not None:
            found.durations[bucket_of(walked.seconds)] += 1
        if walked.step and (walked.step in found.steps or len(found.steps) < _MOST_STEPS):
            found.steps[walked.step] += 1
        _write(connection, key, begin_of(at, length), length, found)
        if is_new:
            _let_go(connection, key, begin_of(at, length), length)


def add_skips(
    connection: sqlite3.Connection,
    key: tuple[str, str],
    times: Sequence[float],
    reason: str,
) -> None:
    """Count slots of (journey, location) at these Unix times that were skipped."""
    for length in LENGTHS:
        by_begin: dict[int, list[float]] = defaultdict(list)
        for at in times:
            by_begin[begin_of(at, length)].append(at)
        for begin, some in by_begin.items():
            found, is_new = _at(connection, key, begin, length)
            found.skipped[reason] += len(some)
            found.skipped_at[reason] = max(*some, found.skipped_at.get(reason, some[0]))
            _write(connection, key, begin, length, found)
            if is_new:
                _let_go(connection, key, begin, length)


def write_missing(
    connection: sqlite3.Connection, key: tuple[str, str], stretch: tuple[int, int], found: Rollup
) -> None:
    """Write down a stretch, given by length and begin, unless something is known of it."""
    length, begin = stretch
    values = _values(key, begin, length, found)
    connection.execute(f"INSERT OR IGNORE {_INTO} ({', '.join('?' * len(values))})", values)


def is_begun(connection: sqlite3.Connection) -> bool:
    """Whether anything was ever rolled up."""
    return connection.execute("SELECT 1 FROM rollups LIMIT 1").fetchone() is not None


def read(
    connection: sqlite3.Connection, key: tuple[str, str], length: int, since: float
) -> dict[int, Rollup]:
    """Return the stretches of (journey, location) from the one of a Unix time on, by their begin.

    Those in which no slot ended are left out.
    """
    journey, location = key
    rows = connection.execute(
        f"SELECT at, {_COLUMNS} FROM rollups "  # noqa: S608 - names of our own
        "WHERE location = ? AND length = ? AND journey = ? AND at >= ?",
        (location, length, journey, begin_of(since, length)),
    )
    return {row[0]: _of(tuple(row)[1:]) for row in rows}


def forget_the_oldest(connection: sqlite3.Connection) -> None:
    """Let go of the journeys that have not had a slot for longest, where there are too many."""
    connection.execute(
        "DELETE FROM rollups WHERE (location, journey) NOT IN (SELECT location, journey "
        "FROM rollups GROUP BY location, journey ORDER BY max(at) DESC LIMIT ?)",
        (_MOST_JOURNEYS,),
    )


def _at(
    connection: sqlite3.Connection, key: tuple[str, str], at: float, length: int
) -> tuple[Rollup, bool]:
    """Return the stretch of a moment as it is so far, and whether it is the first word of it."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM rollups "  # noqa: S608 - names of our own
        "WHERE location = ? AND length = ? AND journey = ? AND at = ?",
        (key[1], length, key[0], begin_of(at, length)),
    ).fetchone()
    return (Rollup(), True) if row is None else (_of(tuple(row)), False)


def _write(
    connection: sqlite3.Connection, key: tuple[str, str], begin: int, length: int, found: Rollup
) -> None:
    values = _values(key, begin, length, found)
    connection.execute(f"INSERT OR REPLACE {_INTO} ({', '.join('?' * len(values))})", values)


def _values(key: tuple[str, str], begin: int, length: int, found: Rollup) -> list[Any]:
    journey, location = key
    told = {reason: (count, found.skipped_at[reason]) for reason, count in found.skipped.items()}
    counts = [found.results[result] for result in _COUNTED]
    texts = [_dumps(told), _dumps(found.durations), _dumps(found.steps)]
    return [journey, location, length, begin, *counts, found.slow, found.silenced, *texts]


def _let_go(connection: sqlite3.Connection, key: tuple[str, str], begin: int, length: int) -> None:
    """Let go of hours far from the one that has just begun, and of the oldest days.

    A clock that is wrong for a while must not take the days with it: so they go by their number.
    """
    journey, location = key
    given = {
        "journey": journey,
        "location": location,
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
    *counts, slow, silenced, skipped, durations, steps = row
    told = json.loads(skipped)
    return Rollup(
        Counter(dict(zip(_COUNTED, counts, strict=True))),
        Counter({reason: count for reason, (count, _) in told.items()}),
        {reason: at for reason, (_, at) in told.items()},
        slow,
        silenced,
        Counter(json.loads(durations)),
        Counter(json.loads(steps)),
    )


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
