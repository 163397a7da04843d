"""Several replicas of one location, on a server in memory and with databases of their own."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from agent.replicas.board import Board
from agent.replicas.verdicts import SharedVerdicts
from agent.runs import ledger
from agent.storage import journey_state, runs
from agent.storage.database import Database
from agent.storage.run_end import RunEnd
from tests.support.build import START, a_journey
from tests.support.clock import ManualClock
from tests.support.memory_store import MemoryServer

if TYPE_CHECKING:
    from pathlib import Path

    from agent.core.results import Result
    from agent.storage.run_end import Turn
    from tests.support.memory_store import MemoryStore

PLACE = "eu"


class Site:
    """One replica: what it shares, and what stands in its own database."""

    def __init__(self, name: str, store: MemoryStore, database: Database, clock: ManualClock):
        self.name = name
        self.store = store
        self.database = database
        self.board = Board(store, clock)
        self.verdicts = SharedVerdicts(store, self.board, database, PLACE, name)

    async def ran(
        self, result: Result, slot: float, journey: str = "buy", *, late: float = 0.0
    ) -> Turn | None:
        """Take in the run of a slot, so many seconds after START, as the ledger does."""
        began = START + slot + late
        run = RunEnd(
            journey, PLACE, result, began, began + 1.0,
            error_type="assertion" if result == "fail" else "", error=f"at {slot}",
            run_id=f"{journey}-{slot}", order=START + slot,
        )  # fmt: skip
        document = {"run_id": run.run_id, "journey": journey, "result": result.value}
        folded = await self.verdicts.fold(run, a_journey(journey), (), document)
        return await self.database.transaction(folded)

    async def caught_up(self) -> None:
        await self.board.read_all()

    async def read(self, work):
        return await self.database.transaction(work)


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def server(clock):
    return MemoryServer(clock)


@pytest.fixture
async def replica(server, clock, tmp_path: Path):
    """Starts one more replica of a name, whose database is empty."""
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Site:
            schemas = (journey_state.SCHEMA, ledger.SCHEMA, runs.SCHEMA)
            database = Database(tmp_path / f"{name}.db", schemas, clock)
            await database.open()
            stack.push_async_callback(database.close)
            site = Site(name, server.store(), database, clock)
            await site.verdicts.begin()
            return site

        yield start
