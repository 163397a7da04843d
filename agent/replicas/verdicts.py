"""The verdicts of all replicas: each run is taken into what they share, and that is kept here.

What a run changed is written into the own database in the transaction that counts it; what other
replicas' runs changed, as soon as it is heard. So gauges, pages and API read the own database
alone, and tell of the location.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.queue import key_names
from agent.replicas.folding import Folding, entry_of, turn_of
from agent.replicas.incident_book import IncidentBook, Written
from agent.storage import incident, incident_copies, journey_state, runs
from agent.storage.fitting import LARGEST, fit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from agent.core.model import Journey
    from agent.core.suspension import Suspension
    from agent.queue.shared import Store
    from agent.replicas.board import Board
    from agent.storage.database import Database
    from agent.storage.run_end import RunEnd, Turn
    from agent.storage.verdicts import Folded

_log = structlog.get_logger("footfall.replicas")

_RUNS: Final = 20
"""Runs of each journey, the newest, that every replica knows of."""
_TAKEN_UP: Final = 200
"""Incidents that a location takes over from the first of its replicas, the newest."""


class SharedVerdicts:
    """Takes runs in for all replicas; ``on_change`` is told of journeys that others moved."""

    def __init__(
        self, store: Store, board: Board, database: Database, location: str, instance: str
    ) -> None:
        self._board = board
        self._database = database
        self._location = location
        self._instance = instance
        self._folding = Folding()
        self._incidents = IncidentBook(store, board)
        self._beginning = asyncio.Lock()
        self._begun = False
        self._rows: dict[str, journey_state.Row] = {}
        """How the journeys stand, as far as it is known here."""
        self._walked_by: dict[str, str] = {}
        """Which replica walked each journey last."""
        self.on_change: Callable[[Collection[str]], Awaitable[None]] = _nobody
        board.room(key_names.VERDICTS, self._on_verdicts)
        board.room(key_names.INCIDENTS, self._on_incidents)
        board.room(key_names.RUNS, self._on_runs, large=True)

    async def begin(self) -> None:
        """Take up what this replica knew by itself, where the location knows nothing yet.

        Where it does, its incidents have other numbers, and those of this replica alone go.

        Raises:
            Away: the server can't be reached.

        """

        def read(
            connection: sqlite3.Connection,
        ) -> tuple[dict[str, journey_state.Row], list[incident_copies.Copy]]:
            listed = incident_copies.numbers(connection, self._location)[:_TAKEN_UP]
            copies = [incident_copies.take_out(connection, number) for number in reversed(listed)]
            rows = journey_state.take_all_out(connection, self._location)
            return rows, [copy for copy in copies if copy is not None]

        self._rows, copies = await self._database.transaction(read)
        if not await self._incidents.begin(copies):
            known = await self._incidents.numbers()
            gone = await self._database.transaction(
                lambda connection: incident_copies.drop_all_but(connection, self._location, known)
            )
            if gone:
                _log.warning("incidents.dropped", action="start", incidents=sorted(gone))
        self._begun = True

    async def _begin_once(self) -> None:
        """Take up what was known here, where the server was away at the start."""
        async with self._beginning:
            if not self._begun:
                await self.begin()

    def watches(self, journey: str) -> bool:
        """Whether this replica is the one that goes on walking a journey that fails.

        That is whoever made its newest run: with that one gone, the next slot's is.
        """
        return self._walked_by.get(journey, self._instance) == self._instance

    async def fold(
        self,
        run: RunEnd,
        journey: Journey,
        over: Sequence[Suspension],
        document: Mapping[str, Any],
    ) -> Folded:
        """Take a run in for all; taken in again it changes nothing more.

        Raises:
            Away: the server can't be reached; it may be taken in or not, so it is to be again.

        """
        await self._begin_once()
        key, known = key_names.verdict(run.journey), self._rows.get(run.journey)
        changed = await self._board.change(
            key, lambda before: self._folding.take_in(before, run, self._instance, known)
        )
        stands, entry = changed.document, entry_of(changed.document, run.run_id)
        row: journey_state.Row = stands["row"]
        moved: list[Written] = []
        if entry is not None and entry["incident"]:
            moved = await self._incidents.note(run, journey, over, row)
        if entry is not None:
            # By the number of runs before it, so that no two replicas write over each other's.
            place = key_names.run(run.journey, entry["before"] % _RUNS)
            shown = json.loads(fit(document, LARGEST))
            told = {"replica": self._instance, "ended_at": run.ended_at, "run": shown}
            await self._board.put(place, told)
        turn = turn_of(entry)
        self._know(run.journey, stands)

        def write(connection: sqlite3.Connection) -> Turn | None:
            if self._board.is_newest(key, changed.revision):
                journey_state.put_in(connection, row)
            self._put_in(connection, moved)
            return turn

        return write

    async def add_note(self, number: int, at: float, who: str, text: str) -> bool | None:
        """Add a person's note to an incident; False: it has too many, None: there is none such.

        Raises:
            Away: the server can't be reached, and the note may be there or not.

        """
        return await self._keep(await self._incidents.add_note(number, at, who, text))

    async def end_gone(self, enabled: Collection[str], now: float) -> None:
        """End the outages of journeys that no replica walks any more.

        Raises:
            Away: the server can't be reached.

        """

        def gone(connection: sqlite3.Connection) -> set[int]:
            down = incident.numbers(connection, self._location)
            return {number for name, number in down.items() if name not in enabled}

        for number in await self._database.transaction(gone):
            await self._keep(await self._incidents.end_gone(number, self._location, enabled, now))

    async def _keep(self, written: Written | bool | None) -> bool | None:
        if not isinstance(written, Written):
            return written
        await self._database.transaction(lambda connection: self._put_in(connection, [written]))
        return True

    def _put_in(self, connection: sqlite3.Connection, moved: Sequence[Written]) -> None:
        for one in moved:
            if self._board.is_newest(one.key, one.revision):
                incident_copies.put_in(connection, one.copy)

    def _know(self, journey: str, document: Mapping[str, Any]) -> None:
        self._rows[journey] = document["row"]
        self._walked_by[journey] = document["by"]

    # What is heard.

    async def _on_verdicts(self, documents: Mapping[str, Any]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            for document in documents.values():
                journey_state.put_in(connection, document["row"])

        for document in documents.values():
            self._know(document["row"]["journey"], document)
        await self._database.transaction(write)
        await self.on_change([one["row"]["journey"] for one in documents.values()])

    async def _on_incidents(self, documents: Mapping[str, Any]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            for document in documents.values():
                incident_copies.put_in(connection, document)

        await self._database.transaction(write)
        await self.on_change(())

    async def _on_runs(self, documents: Mapping[str, Any]) -> None:
        others = [one for one in documents.values() if one["replica"] != self._instance]

        def write(connection: sqlite3.Connection) -> None:
            for one in others:
                if not runs.find(connection, one["run"]["run_id"]):
                    runs.add(connection, one["ended_at"], one["run"])

        if others:
            await self._database.transaction(write)


async def _nobody(_: Collection[str]) -> None:
    """Tell nobody."""
