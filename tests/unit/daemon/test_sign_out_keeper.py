"""Who signed out stays so: at once, after a restart, and at the other replicas."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from agent.core.clock import SystemClock
from agent.daemon.sign_out_keeper import SignOuts
from agent.replicas.board import Board
from agent.storage import sign_outs
from agent.storage.database import Database
from tests.support.build import START
from tests.support.clock import ManualClock
from tests.support.memory_store import MemoryServer


@pytest.fixture
def clock():
    return ManualClock(START)


@asynccontextmanager
async def running(path, clock, board=None):
    """One agent's, which keeps and tells them meanwhile."""
    database = Database(path, (sign_outs.SCHEMA,), clock)
    await database.open()
    outs = SignOuts(database, clock, board)
    await outs.read()
    tasks = [asyncio.create_task(outs.run())]
    if board is not None:
        tasks.append(asyncio.create_task(board.follow()))
    try:
        yield outs, database
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()


async def until(holds):
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - what is awaited tells nobody
            await asyncio.sleep(0.01)


async def test_they_outlive_a_restart_until_they_would_have_ended(tmp_path, clock):
    """And what is kept is no more than may still be shown."""
    async with running(tmp_path / "a.db", clock) as (outs, database):
        outs.add("old", START + 10)
        clock.advance(11)
        outs.add("new", START + 100)
        assert "new" in outs
        assert "old" not in outs

        async def kept():
            return set(await database.transaction(sign_outs.read)) >= {"new"}

        await until(kept)
    async with running(tmp_path / "a.db", clock) as (outs, _):
        assert "new" in outs


async def test_they_hold_at_every_replica_once_the_server_is_there(tmp_path):
    """Also at one that could not be told when it was."""
    clock = SystemClock()
    server = MemoryServer(clock)
    boards = [Board(server.store(), clock) for _ in range(2)]
    async with (
        running(tmp_path / "a.db", clock, boards[0]) as (one, _),
        running(tmp_path / "b.db", clock, boards[1]) as (other, _),
    ):
        server.stores[0].cut()
        one.add("s", clock.wall() + 40_000)
        assert "s" in one
        server.stores[0].mend()

        async def heard():
            return "s" in other

        await until(heard)
