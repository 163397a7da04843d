"""Roll-ups over replicas: each tells what its own slots came to, and every page adds them up.

They stand in the location's store, so they outlive the replica that counted them.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from agent.queue import key_names
from agent.queue.shared import Away
from agent.storage import rollups
from agent.storage.rollups import DAY, HOUR

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.queue.shared import Store
    from agent.replicas.board import Board, Document
    from agent.storage.database import Database
    from agent.storage.rollups import Row

_EVERY: Final = 3.0
"""Seconds within which others hear what has changed."""
_KEPT: Final = {HOUR: 3.0 * DAY, DAY: 400.0 * DAY}
"""Seconds for which the store keeps them."""


class SharedRollups:
    """Tells the others of this replica's, and keeps theirs."""

    def __init__(
        self,
        store: Store,
        board: Board,
        database: Database,
        location: str,
        instance: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._board = board
        self._database = database
        self._location = location
        self._instance = instance
        self._clock = clock
        self._versions: dict[str, int] = {}
        """Of each journey, the one that was told last."""
        self._told: dict[str, bytes] = {}
        """A digest of each row as it was told, by its key."""
        board.room(key_names.ROLLUPS, self._hear, large=True)

    async def run(self) -> None:
        """Tell what has changed, again and again, until cancelled."""
        times = 0
        while True:
            now_times = await self._store.until_connected()
            if now_times != times:
                # What it had may be lost, or be of an earlier time.
                self._versions, self._told = {}, {}
            times = now_times
            with suppress(Away):
                if not self._told:
                    await self._recall()
                await self.tell()
            await self._clock.sleep(_EVERY)

    async def tell(self) -> None:
        """Tell what has changed since it was told.

        Raises:
            Away: the server can't be reached; what was not told is told the next time.

        """
        versions = await self._database.transaction(
            lambda connection: rollups.versions(connection, self._location)
        )
        for journey, version in versions.items():
            if self._versions.get(journey) != version:
                await self._tell(journey)
                self._versions[journey] = version

    async def _tell(self, journey: str) -> None:
        key = journey, self._location
        rows = await self._database.transaction(
            lambda connection: rollups.own_rows(connection, key, 0.0)
        )
        for row in rows:
            name = key_names.rollup(self._instance, journey, row["length"], row["at"])
            digest = _digest(row)
            if self._told.get(name) != digest:
                document = {"replica": self._instance, "journey": journey, "row": row}
                await self._board.put(name, document, _KEPT[row["length"]])
                self._told[name] = digest

    async def _recall(self) -> None:
        """Take up what this replica has told before."""
        for key, document in (await self._board.list(key_names.rollups(self._instance))).items():
            self._told[key] = _digest(document["row"])

    async def _hear(self, documents: Mapping[str, Document]) -> None:
        others = [one for one in documents.values() if one["replica"] != self._instance]

        def write(connection: sqlite3.Connection) -> None:
            for one in others:
                key = one["journey"], self._location
                rollups.put_in(connection, one["replica"], key, one["row"])

        if others:
            await self._database.transaction(write)


def _digest(row: Row) -> bytes:
    return sha256(repr(sorted(row.items())).encode()).digest()[:8]
