"""Words that this replica is about to give to slots of its location, and holds until it may.

A slot that several replicas know of has its word from whoever writes it into their store first.
Before that it stands here with all that counting needs, so that a kill at any instant leaves
something to settle by: a slot is ``claimed`` while it is walked here; then its word is a
``result``, a ``skip``, or ``lost`` where nothing else is left of its run. Once the store has
said whose word counts, the row goes: in the transaction that counts it, or alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from agent.core import ids
from agent.core.model import SkipReason, Slot
from agent.schedule.plan import floor_ms

if TYPE_CHECKING:
    import sqlite3

    from agent.schedule.decision import Skip

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS pending_words (
    run_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('claimed', 'result', 'skip', 'lost')),
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,      -- Unix milliseconds, as in the slot table
    since INTEGER NOT NULL,
    count INTEGER NOT NULL,
    ahead INTEGER NOT NULL DEFAULT 0,
    reason TEXT CHECK ((reason IS NOT NULL) = (kind = 'skip')),
    run BLOB CHECK ((run IS NOT NULL) = (kind = 'result')),
    ended_at REAL NOT NULL DEFAULT 0,   -- in the schedule's own time, Unix seconds
    written_at REAL NOT NULL DEFAULT 0  -- by the wall clock, Unix seconds
) WITHOUT ROWID;
"""


class Kind(StrEnum):
    """What stands in a row."""

    CLAIMED = "claimed"
    RESULT = "result"
    SKIP = "skip"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Pending:
    """A slot whose word this replica holds; of a skip it may be the last of several slots."""

    run_id: str
    kind: Kind
    slot: Slot
    since: float
    """When the first of its slots was, in Unix seconds."""
    count: int
    ahead: float
    """Seconds by which the schedule was before the wall clock."""
    reason: SkipReason | None
    run: bytes
    """A packed result; empty where it is none."""
    ended_at: float
    written_at: float

    @property
    def word(self) -> str:
        """What the others are told of it."""
        return self.kind.value if self.reason is None else self.reason.value


def claim(connection: sqlite3.Connection, run_id: str, slot: Slot) -> bool:
    """Note that a slot is about to be walked here; False if there is a row of it."""
    at = floor_ms(slot.scheduled_at)
    return _insert(connection, (run_id, "claimed", slot, at, 1, 0.0, None))


def skip(connection: sqlite3.Connection, decided: Skip, ahead: float) -> bool:
    """Hold the word of slots that nobody is to walk; False if there is a row of the last."""
    slot = decided.slot
    first = floor_ms(slot.scheduled_at if decided.since is None else decided.since)
    row = ids.run_id(slot), "skip", slot, first, decided.count, ahead, decided.reason.value
    return _insert(connection, row)


def end(
    connection: sqlite3.Connection, run_id: str, run: bytes, ended_at: float, written_at: float
) -> bool:
    """Hold the result of a claimed slot, in the place of one before; False if it has no row."""
    changed = connection.execute(
        "UPDATE pending_words SET kind = 'result', run = ?, ended_at = ?, written_at = ? "
        "WHERE run_id = ? AND kind IN ('claimed', 'result')",
        (run, ended_at, written_at, run_id),
    )
    return changed.rowcount == 1


def lose(connection: sqlite3.Connection, run_id: str) -> bool:
    """Have nothing left of a slot's run but that there was one; False if it has no row."""
    changed = connection.execute(
        "UPDATE pending_words SET kind = 'lost', run = NULL "
        "WHERE run_id = ? AND kind IN ('claimed', 'result')",
        (run_id,),
    )
    return changed.rowcount == 1


def drop(connection: sqlite3.Connection, run_id: str) -> None:
    """Forget a word: it is counted, or another's counts."""
    connection.execute("DELETE FROM pending_words WHERE run_id = ?", (run_id,))


def read(connection: sqlite3.Connection, run_id: str) -> Pending | None:
    """Return what is held of one run's slot."""
    rows = connection.execute("SELECT * FROM pending_words WHERE run_id = ?", (run_id,))
    return next(map(_pending, rows), None)


def claimed(connection: sqlite3.Connection, location: str) -> list[Pending]:
    """List the slots that are walked here, or were when the agent was killed, oldest first."""
    rows = connection.execute(
        "SELECT * FROM pending_words WHERE location = ? AND kind = 'claimed' "
        "ORDER BY scheduled_at, journey",
        (location,),
    )
    return [_pending(row) for row in rows]


def to_settle(connection: sqlite3.Connection, location: str) -> list[str]:
    """List the runs whose slots' words are held, oldest first; not those that are walked."""
    rows = connection.execute(
        "SELECT run_id FROM pending_words WHERE location = ? AND kind <> 'claimed' "
        "ORDER BY scheduled_at, journey",
        (location,),
    )
    return [row["run_id"] for row in rows]


def _insert(
    connection: sqlite3.Connection, row: tuple[str, str, Slot, int, int, float, str | None]
) -> bool:
    run_id, kind, slot, since, count, ahead, reason = row
    inserted = connection.execute(
        "INSERT INTO pending_words (run_id, kind, journey, location, scheduled_at, since, count, "
        "ahead, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            run_id,
            kind,
            slot.journey,
            slot.location,
            floor_ms(slot.scheduled_at),
            since,
            count,
            round(ahead * 1000),
            reason,
        ),
    )
    return inserted.rowcount == 1


def _pending(row: sqlite3.Row) -> Pending:
    return Pending(
        run_id=row["run_id"],
        kind=Kind(row["kind"]),
        slot=Slot(row["journey"], row["location"], row["scheduled_at"] / 1000),
        since=row["since"] / 1000,
        count=row["count"],
        ahead=row["ahead"] / 1000,
        reason=SkipReason(row["reason"]) if row["reason"] else None,
        run=row["run"] or b"",
        ended_at=row["ended_at"],
        written_at=row["written_at"],
    )
