"""The local queue: a bounded table in the state folder, one agent, no server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.model import Slot

if TYPE_CHECKING:
    import sqlite3

    from agent.storage.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS queue (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    journey TEXT NOT NULL,
    location TEXT NOT NULL,
    scheduled_at REAL NOT NULL,      -- Unix seconds
    claimed INTEGER NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that is now somebody's to run."""

    run_id: str
    slot: Slot


class LocalQueue:
    """First in, first out; each slot goes to one claimant."""

    def __init__(self, database: Database, bound: int) -> None:
        self._database = database
        self._bound = bound
        self._waiting = asyncio.Semaphore(0)
        self.depth = 0
        """How many slots wait."""

    async def clear(self) -> None:
        """Forget what a killed predecessor had queued; its slots are settled elsewhere."""
        await self._database.transaction(lambda c: c.execute("DELETE FROM queue"))
        self.depth = 0

    async def offer(self, run_id: str, slot: Slot) -> bool:
        """Queue a slot, once however often it is offered; False where the queue is full."""

        def insert(connection: sqlite3.Connection) -> int | None:
            (waiting,) = connection.execute(
                "SELECT count(*) FROM queue WHERE NOT claimed"
            ).fetchone()
            if waiting >= self._bound:
                return None
            inserted = connection.execute(
                "INSERT OR IGNORE INTO queue (run_id, journey, location, scheduled_at) "
                "VALUES (?, ?, ?, ?)",
                (run_id, slot.journey, slot.location, slot.scheduled_at),
            )
            return inserted.rowcount

        added = await self._database.transaction(insert)
        if added:
            self.depth += 1
            self._waiting.release()
        return added is not None

    async def claim(self) -> Claim:
        """Wait for the oldest slot and take it."""
        while True:
            await self._waiting.acquire()
            taken = await self._database.transaction(_take)
            if taken is not None:
                self.depth -= 1
                return taken

    async def done(self, run_id: str) -> None:
        """Let go of a slot that has ended."""
        await self._database.transaction(
            lambda c: c.execute("DELETE FROM queue WHERE run_id = ?", (run_id,))
        )

    async def drain(self) -> list[Claim]:
        """Take out everything that still waits."""

        def remove(connection: sqlite3.Connection) -> list[Claim]:
            rows = connection.execute("DELETE FROM queue WHERE NOT claimed RETURNING *").fetchall()
            return [_claim(row) for row in rows]

        waiting = await self._database.transaction(remove)
        self.depth = 0
        return waiting


def _take(connection: sqlite3.Connection) -> Claim | None:
    row = connection.execute(
        "UPDATE queue SET claimed = 1 WHERE position = "
        "(SELECT min(position) FROM queue WHERE NOT claimed) RETURNING *"
    ).fetchone()
    return None if row is None else _claim(row)


def _claim(row: sqlite3.Row) -> Claim:
    return Claim(row["run_id"], Slot(row["journey"], row["location"], row["scheduled_at"]))
