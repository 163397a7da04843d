"""The slot table: every slot that was decided, and the one word it ended in.

A slot is ``offered``, then ``running``, then ``done`` with a result; or it is ``skipped``,
from ``offered`` or at once; or it is ``elsewhere``: any replica of the agent may have it, and
whichever gives it its word counts it, so that no total of another does. Each function does one
of these steps, refuses it from any other state, and leaves the transaction to its caller, so that
a result can be committed together with what else belongs to it. Beside the rows stand two small
tables that outlive them: up to where each journey is decided, and the totals. So rows may be
pruned, no slot is decided twice even then, and at every commit, for each journey::

    expected = results + skips + in flight

A row may stand for several slots that were skipped together; the totals count each of them.

What ends a slot rolls it up as well, see ``agent.storage.rollups``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core import ids
from agent.core.model import SkipReason, Slot
from agent.core.results import Result
from agent.schedule.plan import floor_ms
from agent.storage import rollups
from agent.storage.rollup import Walked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from agent.schedule.decision import Skip

SCHEMA = f"""{rollups.SCHEMA}
CREATE TABLE IF NOT EXISTS slots (
    run_id TEXT PRIMARY KEY,
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,      -- Unix milliseconds, as every time here
    since INTEGER NOT NULL,             -- of the first slot, where the row stands for several
    count INTEGER NOT NULL DEFAULT 1 CHECK (count >= 1),
    state TEXT NOT NULL CHECK (state IN
        ('offered', 'running', 'done', 'skipped', 'elsewhere')),
    result TEXT CHECK ((result IS NOT NULL) = (state = 'done')),
    reason TEXT CHECK ((reason IS NOT NULL) = (state = 'skipped')),
    ahead INTEGER NOT NULL DEFAULT 0,   -- by which the schedule was before the wall clock then
    UNIQUE (journey, location, scheduled_at)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slots_open ON slots (location, journey)
    WHERE state IN ('offered', 'running');
CREATE INDEX IF NOT EXISTS slots_by_time ON slots (scheduled_at);
CREATE TABLE IF NOT EXISTS slot_cursors (
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    decided_at INTEGER NOT NULL,        -- every slot up to here is decided
    ticking INTEGER NOT NULL,           -- whether the journey was loaded and enabled
    PRIMARY KEY (journey, location)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slot_totals (
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('expected', 'result', 'skip')),
    word TEXT NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (journey, location, kind, word)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A slot that has no word yet: it waits, or (``running``) a worker walks it."""

    run_id: str
    slot: Slot
    running: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """What a row stood for that has ended; times are Unix milliseconds."""

    journey: str
    location: str
    since: int
    scheduled_at: int
    count: int
    ahead: int

    @property
    def key(self) -> tuple[str, str]:
        """Journey and location."""
        return self.journey, self.location

    @property
    def times(self) -> list[float]:
        """When its slots were, by the wall clock, in Unix seconds: several lie evenly."""
        step = (self.scheduled_at - self.since) / max(1, self.count - 1)
        last = self.scheduled_at - self.ahead
        return [(last - number * step) / 1000 for number in range(self.count)][::-1]


_NOTHING_MORE = Walked()


def offer(connection: sqlite3.Connection, slot: Slot, ahead: float = 0.0) -> str | None:
    """Note that the slot is to run, and return its run id; None if it is decided already.

    ``ahead`` are the seconds by which the schedule's time is before the wall clock's, where that
    was set back.
    """
    if not _decide(connection, slot, floor_ms(slot.scheduled_at), 1, "offered", ahead):
        return None
    _add(connection, (slot.journey, slot.location, "expected", ""), 1)
    return ids.run_id(slot)


def elsewhere(
    connection: sqlite3.Connection, slot: Slot, since: float | None = None, count: int = 1
) -> bool:
    """Leave a slot to whichever replica has it, or ``count`` of them, from ``since`` to this one.

    False if any is decided already.
    """
    first = floor_ms(slot.scheduled_at if since is None else since)
    return _decide(connection, slot, first, count, "elsewhere")


def pass_over(connection: sqlite3.Connection, skip: Skip, ahead: float = 0.0) -> bool:
    """Note that slots were skipped without an offer; False if any is decided already."""
    slot = skip.slot
    first = floor_ms(slot.scheduled_at if skip.since is None else skip.since)
    if not _decide(connection, slot, first, skip.count, "offered", ahead):
        return False
    _add(connection, (slot.journey, slot.location, "expected", ""), skip.count)
    return _pass(connection, ids.run_id(slot), skip.reason)


def take(
    connection: sqlite3.Connection,
    slot: Slot,
    ahead: float = 0.0,
    since: float | None = None,
    count: int = 1,
) -> str | None:
    """Have a slot that was anybody's be counted here, whose word is given in this transaction.

    It may be the last of ``count``, from ``since`` on. Return its run id; None where it is in
    these books as one of their own, most likely with its word.
    """
    run_id, last = ids.run_id(slot), floor_ms(slot.scheduled_at)
    first = last if since is None else floor_ms(since)
    taken = connection.execute(
        "INSERT INTO slots (run_id, journey, location, scheduled_at, since, count, ahead, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'offered') ON CONFLICT (run_id) DO UPDATE "
        "SET state = 'offered', since = excluded.since, count = excluded.count, "
        "ahead = excluded.ahead WHERE state = 'elsewhere'",
        (run_id, slot.journey, slot.location, last, first, count, round(ahead * 1000)),
    )
    if not taken.rowcount:
        return None
    _advance(connection, slot.journey, slot.location, last)
    _add(connection, (slot.journey, slot.location, "expected", ""), count)
    return run_id


def start(connection: sqlite3.Connection, run_id: str) -> bool:
    """Note that a worker walks an offered slot; False if it isn't waiting (any more)."""
    changed = connection.execute(
        "UPDATE slots SET state = 'running' WHERE run_id = ? AND state = 'offered'", (run_id,)
    )
    return changed.rowcount == 1


def finish(
    connection: sqlite3.Connection, run_id: str, result: Result, walked: Walked = _NOTHING_MORE
) -> bool:
    """End a running slot with its result; False if it isn't running (any more)."""
    ended = _end(connection, run_id, "running", result)
    if ended is not None:
        rollups.add_walk(connection, ended.key, ended.times[-1], result, walked)
    return ended is not None


def skip(connection: sqlite3.Connection, run_id: str, reason: SkipReason) -> bool:
    """End an offered slot that was never started; False if it isn't waiting (any more)."""
    return _pass(connection, run_id, reason)


def unfinished(connection: sqlite3.Connection, location: str) -> list[Unfinished]:
    """List the slots without a word, oldest first: at a start, what a killed agent left."""
    rows = connection.execute(
        "SELECT run_id, journey, location, scheduled_at, state FROM slots "
        "WHERE location = ? AND state IN ('offered', 'running') ORDER BY scheduled_at, journey",
        (location,),
    )
    return [
        Unfinished(run_id, Slot(journey, place, scheduled_at / 1000), state == "running")
        for run_id, journey, place, scheduled_at, state in rows
    ]


def state_of(connection: sqlite3.Connection, run_id: str) -> tuple[str, str, str | None] | None:
    """Return journey, state and reason of the slot of a run; None: it is not known, or pruned."""
    row = connection.execute(
        "SELECT journey, state, reason FROM slots WHERE run_id = ?", (run_id,)
    ).fetchone()
    return None if row is None else tuple(row)


def last_decided(connection: sqlite3.Connection, location: str) -> dict[str, float]:
    """Tell up to where each journey that ticked last is decided. Unix seconds.

    One that was disabled or gone by then is left out: it starts anew when it comes back.
    """
    rows = connection.execute(
        "SELECT journey, decided_at FROM slot_cursors WHERE location = ? AND ticking",
        (location,),
    )
    return {journey: decided_at / 1000 for journey, decided_at in rows}


def decided_until(connection: sqlite3.Connection) -> float | None:
    """Return the latest moment up to which anything is decided, for ``Timeline``."""
    (latest,) = connection.execute("SELECT max(decided_at) FROM slot_cursors").fetchone()
    return None if latest is None else latest / 1000


def note_ticking(
    connection: sqlite3.Connection, location: str, decided: Mapping[str, float]
) -> None:
    """Note which journeys tick from now on, and from where; after each ``Ticker.load``.

    So a journey that was killed before its first slot knows its start, and the time in which
    one was disabled is not counted as missed.
    """
    connection.execute("UPDATE slot_cursors SET ticking = 0")
    for journey, at in decided.items():
        _advance(connection, journey, location, floor_ms(at))


def ended(connection: sqlite3.Connection) -> Iterator[tuple[Ended, Result | None, str]]:
    """Yield the ended slots that are kept, each with its result or the reason of its skip."""
    rows = connection.execute(
        "SELECT result, reason, journey, location, since, scheduled_at, count, ahead FROM slots "
        "WHERE state IN ('done', 'skipped')"
    )
    for result, reason, *of in rows:
        yield Ended(*of), Result(result) if result else None, reason or ""


def prune(connection: sqlite3.Connection, before: float) -> int:
    """Delete the rows of ended slots scheduled before a Unix time; return how many.

    What is decided and every total stay.
    """
    deleted = connection.execute(
        "DELETE FROM slots WHERE scheduled_at < ? AND state NOT IN ('offered', 'running')",
        (floor_ms(before),),
    )
    return deleted.rowcount


def _decide(
    connection: sqlite3.Connection,
    slot: Slot,
    first: int,
    count: int,
    state: str,
    ahead: float = 0.0,
) -> bool:
    """Take slots from ``first`` on into the table, unless any is decided."""
    last = floor_ms(slot.scheduled_at)
    known = connection.execute(
        "SELECT 1 FROM slot_cursors WHERE journey = ? AND location = ? AND decided_at >= ?",
        (slot.journey, slot.location, first),
    )
    if known.fetchone():
        return False
    connection.execute(
        "INSERT INTO slots (run_id, journey, location, scheduled_at, since, count, state, ahead) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            ids.run_id(slot),
            slot.journey,
            slot.location,
            last,
            first,
            count,
            state,
            round(ahead * 1000),
        ),
    )
    _advance(connection, slot.journey, slot.location, last)
    return True


def _pass(connection: sqlite3.Connection, run_id: str, reason: SkipReason) -> bool:
    ended = _end(connection, run_id, "offered", reason)
    if ended is not None:
        rollups.add_skips(connection, ended.key, ended.times, reason.value)
    return ended is not None


def _end(
    connection: sqlite3.Connection, run_id: str, state: str, word: Result | SkipReason
) -> Ended | None:
    """Give a slot that is in ``state`` its one word; None if it isn't in it."""
    kind, final = ("result", "done") if isinstance(word, Result) else ("skip", "skipped")
    row = connection.execute(
        "UPDATE slots SET state = :final, result = iif(:final = 'done', :word, NULL), "
        "reason = iif(:final = 'skipped', :word, NULL) WHERE run_id = :run_id AND state = :state "
        "RETURNING journey, location, since, scheduled_at, count, ahead",
        {"final": final, "word": word, "run_id": run_id, "state": state},
    ).fetchone()
    if row is None:
        return None
    ended = Ended(*row)
    _add(connection, (*ended.key, kind, word), ended.count)
    return ended


def _advance(connection: sqlite3.Connection, journey: str, location: str, at: int) -> None:
    connection.execute(
        "INSERT INTO slot_cursors (journey, location, decided_at, ticking) VALUES (?, ?, ?, 1) "
        "ON CONFLICT DO UPDATE SET ticking = 1, decided_at = max(decided_at, excluded.decided_at)",
        (journey, location, at),
    )


def _add(connection: sqlite3.Connection, key: tuple[str, str, str, str], count: int) -> None:
    """Add to the total of (journey, location, kind, word)."""
    connection.execute(
        "INSERT INTO slot_totals (journey, location, kind, word, total) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET total = total + excluded.total",
        (*key, count),
    )
