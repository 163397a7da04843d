"""The spool: encoded telemetry on disk, from the run's own transaction until it was accepted.

Bounded by bytes and by age over all signals together. Beyond a bound the oldest go first,
and each item lost is counted in ``footfall.spool.dropped``. What the collector refused for
good is counted there too, and the last of it is set apart for whoever asks why.

On disk it is a table of the state database: SQLite with a write-ahead log and
``synchronous=NORMAL``. A commit is in the log before the run counts as done, so the death of
any process loses nothing; the log is forced to the platter (``fsync``) at each checkpoint,
so a power cut loses at most the last commits, whole ones, and tears none: each record of
the log carries a checksum, and the first that doesn't fit ends it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core import names
from agent.storage import totals
from agent.telemetry.delivery.report import more_lost
from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.telemetry.delivery.report import Loss

# The sums are kept by triggers: adding up a spool of 512 MiB at every put would not do.
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    signal TEXT NOT NULL CHECK (signal IN ('traces', 'metrics', 'logs')),
    created_at REAL NOT NULL,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL CHECK (typeof(payload) = 'blob')
);
CREATE INDEX IF NOT EXISTS spool_by_signal ON spool (signal, id);
CREATE TABLE IF NOT EXISTS spool_sums (
    signal TEXT PRIMARY KEY,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS spool_grows AFTER INSERT ON spool BEGIN
    INSERT INTO spool_sums VALUES (new.signal, new.items, new.bytes)
    ON CONFLICT (signal) DO UPDATE SET
        items = items + excluded.items, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER IF NOT EXISTS spool_shrinks AFTER DELETE ON spool BEGIN
    UPDATE spool_sums SET items = items - old.items, bytes = bytes - old.bytes
    WHERE signal = old.signal;
END;
CREATE TABLE IF NOT EXISTS spool_refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    signal TEXT NOT NULL,
    refused_at REAL NOT NULL,
    reason TEXT NOT NULL,
    items INTEGER NOT NULL,
    payload BLOB NOT NULL
);
"""

_LAST_ID: Final = 2**63 - 1

REFUSED_KEPT: Final = 20
REFUSED_SIZE: Final = 1 << 20
"""How many refused payloads are kept to be looked at, and up to how many bytes each."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait: bytes of payload, and seconds of age."""

    size: int
    age: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One payload that waits: a serialised OTLP request of ``items`` spans, records or points."""

    id: int
    items: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of one signal. ``oldest_at`` is Unix seconds; None where nothing waits."""

    items: int
    size: int
    oldest_at: float | None


class Spool:
    """The queue in the database. Each method runs inside the caller's transaction."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.overflow: dict[Signal, Loss] = {}
        """What the bounds have cost since the agent started."""

    def recount(self, connection: sqlite3.Connection) -> None:
        """Add up what waits anew: a sum that was spoiled on disk would drop all of it."""
        connection.execute("DELETE FROM spool_sums")
        connection.execute(
            "INSERT INTO spool_sums "
            "SELECT signal, SUM(items), SUM(bytes) FROM spool GROUP BY signal"
        )

    def put(
        self,
        connection: sqlite3.Connection,
        signal: Signal,
        payload: bytes,
        items: int,
        now: float,
    ) -> None:
        """Add a payload at Unix time ``now``, and drop what no longer fits."""
        connection.execute(
            "INSERT INTO spool (signal, created_at, items, bytes, payload) VALUES (?, ?, ?, ?, ?)",
            (signal.value, now, items, len(payload), payload),
        )
        while (oldest := self._overdue(connection, now)) is not None:
            lost = Signal(oldest["signal"])
            self._drop(connection, lost, [oldest["id"]], oldest["items"])
            late = now - oldest["created_at"] > self._bounds.age
            reason = f"beyond telemetry.spool_{'age' if late else 'bytes'}"
            self.overflow[lost] = more_lost(self.overflow.get(lost), oldest["items"], reason, now)

    def waiting(
        self,
        connection: sqlite3.Connection,
        signal: Signal,
        *,
        most: int,
        size: int = _LAST_ID,
        after: int = 0,
        upto: int = _LAST_ID,
        aside: Sequence[int] = (),
        last: bool = False,
    ) -> list[Entry]:
        """Return the next payloads of a signal in order: at most ``most``, and ``size`` bytes.

        Only ids above ``after`` and up to ``upto`` count that are not set ``aside``; ``last``
        begins at the other end. Where the first payload alone is larger than ``size`` it is
        returned alone.
        """
        batch: list[Entry] = []
        room = size
        for row in connection.execute(
            "SELECT id, items, payload FROM spool WHERE signal = ? AND id > ? AND id <= ? "  # noqa: S608 - one of two words
            "AND id NOT IN (SELECT value FROM json_each(?)) "
            f"ORDER BY id {'DESC' if last else 'ASC'} LIMIT ?",
            (signal.value, after, upto, json.dumps(aside), most),
        ):
            room -= len(row["payload"])
            if batch and room < 0:
                break
            batch.append(Entry(row["id"], row["items"], row["payload"]))
        return batch

    def get(self, connection: sqlite3.Connection, *, signal: Signal, id_: int) -> Entry | None:
        """Return one payload; None where it no longer waits."""
        found = self.waiting(connection, signal, most=1, after=id_ - 1, upto=id_)
        return found[0] if found else None

    def last(self, connection: sqlite3.Connection) -> int:
        """Return the id of the payload that came last, of any signal; 0 where none waits."""
        return int(connection.execute("SELECT COALESCE(MAX(id), 0) FROM spool").fetchone()[0])

    def accept(
        self,
        connection: sqlite3.Connection,
        signal: Signal,
        entries: Sequence[Entry],
        rejected: int,
    ) -> None:
        """Delete what the collector took; ``rejected`` items of it were lost there."""
        items = sum(entry.items for entry in entries)
        _count(connection, names.SPOOL_SENT, signal, max(0, items - rejected))
        self._drop(connection, signal, [entry.id for entry in entries], min(rejected, items))

    def refuse(
        self, connection: sqlite3.Connection, signal: Signal, entry: Entry, reason: str, now: float
    ) -> None:
        """Set apart a payload that the collector will never take; its items are dropped ones."""
        self._drop(connection, signal, [entry.id], entry.items)
        if len(entry.payload) > REFUSED_SIZE:
            return
        connection.execute(
            "INSERT INTO spool_refused (signal, refused_at, reason, items, payload) "
            "VALUES (?, ?, ?, ?, ?)",
            (signal.value, now, reason, entry.items, entry.payload),
        )
        connection.execute(
            "DELETE FROM spool_refused WHERE id <= (SELECT MAX(id) FROM spool_refused) - ?",
            (REFUSED_KEPT,),
        )

    def backlog(self, connection: sqlite3.Connection) -> dict[Signal, Backlog]:
        """Return what waits of each signal."""
        sums = {row["signal"]: row for row in connection.execute("SELECT * FROM spool_sums")}
        backlog = {}
        for signal in Signal:
            first = connection.execute(
                "SELECT created_at FROM spool WHERE signal = ? ORDER BY id LIMIT 1", (signal.value,)
            ).fetchone()
            row = sums.get(signal.value)
            backlog[signal] = Backlog(
                items=row["items"] if row else 0,
                size=row["bytes"] if row else 0,
                oldest_at=first["created_at"] if first else None,
            )
        return backlog

    def _drop(
        self, connection: sqlite3.Connection, signal: Signal, ids: Sequence[int], lost: int
    ) -> None:
        connection.executemany("DELETE FROM spool WHERE id = ?", [(id_,) for id_ in ids])
        _count(connection, names.SPOOL_DROPPED, signal, lost)

    def _overdue(self, connection: sqlite3.Connection, now: float) -> sqlite3.Row | None:
        oldest: sqlite3.Row | None = connection.execute(
            "SELECT id, signal, created_at, items FROM spool ORDER BY id LIMIT 1"
        ).fetchone()
        if oldest is None:
            return None
        total = connection.execute("SELECT SUM(bytes) FROM spool_sums").fetchone()[0]
        late = now - oldest["created_at"] > self._bounds.age
        return oldest if late or total > self._bounds.size else None


def _count(connection: sqlite3.Connection, metric: str, signal: Signal, items: int) -> None:
    if items:
        totals.add(connection, metric, {names.SIGNAL: signal.value}, items)
