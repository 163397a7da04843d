"""Reading beside the writer: consistent, never in its way, and never more than reading."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from agent.core.clock import SystemClock
from agent.core.errors import StateError
from agent.storage.database import Database
from agent.storage.reader import Reader

SCHEMA = "CREATE TABLE IF NOT EXISTS t (x INTEGER);"


@pytest.fixture
async def database(tmp_path):
    opened = Database(tmp_path / "a b?.db", [SCHEMA], SystemClock())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def reader(database, tmp_path):
    with closing(Reader(tmp_path / "a b?.db")) as opened:
        yield opened


def count(connection):
    return connection.execute("SELECT count(*) AS n FROM t").fetchone()["n"]


async def test_it_sees_what_was_committed_while_a_transaction_is_open(database, reader):
    """Neither waits for the other, and nobody sees half of anything."""
    seen, written = [], asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        loop.call_soon_threadsafe(written.set)
        seen.append(asyncio.run_coroutine_threadsafe(reader.read(count), loop).result(10))

    await database.transaction(write)
    assert seen == [0]
    assert await reader.read(count) == 1


async def test_one_question_sees_one_state(database, reader):
    """What is committed between two statements of a question doesn't change its answer."""
    loop = asyncio.get_running_loop()

    def look(connection):
        before = count(connection)
        insert = database.transaction(lambda c: c.execute("INSERT INTO t VALUES (1)"))
        asyncio.run_coroutine_threadsafe(insert, loop).result(10)
        return before, count(connection)

    assert await reader.read(look) == (0, 0)
    assert await reader.read(count) == 1


async def test_it_can_not_write(reader):
    """The file is opened for reading only."""
    with pytest.raises(StateError, match="readonly"):
        await reader.read(lambda connection: connection.execute("INSERT INTO t VALUES (1)"))


async def test_a_file_that_can_not_be_read_is_told(tmp_path):
    """With its name and the reason; once it can be, it is read."""
    path = tmp_path / "footfall.db"
    with closing(Reader(path)) as reader:
        with pytest.raises(StateError, match=r"footfall\.db can't be read: unable to open"):
            await reader.read(count)
        path.write_text("no database, but longer than a header of one would be" * 20)
        with pytest.raises(StateError, match="not a database"):
            await reader.read(count)
        path.unlink()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(SCHEMA)
        assert await reader.read(count) == 0
