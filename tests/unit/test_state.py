"""The state folder: its lock, its lasting id, and transactions that are whole or not at all."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import uuid

import pytest

from agent.errors import StateError, StateLocked
from agent.state import Database, StateFolder

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY);"


@pytest.fixture
async def database(tmp_path):
    opened = Database(tmp_path / "footfall.db", [SCHEMA])
    await opened.open()
    yield opened
    await opened.close()


def put(*words):
    return lambda c: [c.execute("INSERT INTO words VALUES (?)", (word,)) for word in words]


async def words(database):
    return await database.transaction(
        lambda c: [row["word"] for row in c.execute("SELECT word FROM words ORDER BY word")]
    )


def test_a_held_folder_names_its_holder(tmp_path):
    """Another process that claims it is told which one holds it; after a release it is free."""
    folder = StateFolder(tmp_path / "var")
    folder.claim()
    claim = (
        "import sys; from pathlib import Path; from agent.state import StateFolder; "
        "StateFolder(Path(sys.argv[1])).claim()"
    )
    command = [sys.executable, "-c", claim, str(tmp_path / "var")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "StateLocked" in refused.stderr
    assert f"process {os.getpid()}" in refused.stderr
    folder.release()
    assert subprocess.run(command, check=False).returncode == 0


def test_a_refused_claim_leaves_the_holders_lock(tmp_path):
    """The loser neither takes nor empties it."""
    holder, other = StateFolder(tmp_path), StateFolder(tmp_path)
    holder.claim()
    for _ in range(2):
        with pytest.raises(StateLocked, match=str(os.getpid())):
            other.claim()
    holder.release()
    other.claim()
    other.release()


def test_the_instance_id_lasts(tmp_path):
    """The same after every start; a damaged one is made anew, and lasts again."""
    folder = StateFolder(tmp_path)

    def claimed() -> str:
        try:
            return folder.claim()
        finally:
            folder.release()

    first = claimed()
    assert str(uuid.UUID(first)) == first
    assert claimed() == first
    (tmp_path / "instance-id").write_text("half an i")
    second = claimed()
    assert second != first
    assert claimed() == second


def test_claiming_makes_what_is_missing(tmp_path):
    """A first start on nothing: folders for artifacts and scratch."""
    folder = StateFolder(tmp_path / "deep" / "var")
    folder.claim()
    assert folder.artifacts.is_dir()
    assert folder.scratch.is_dir()
    folder.release()


def test_a_folder_that_can_not_be_made_says_what_to_do(tmp_path):
    """The message names the folder and the key."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"file/var.*`state`"):
        StateFolder(tmp_path / "file" / "var").claim()


async def test_a_transaction_is_whole_or_not_at_all(database):
    """Where the work raises, nothing of it stays, and the next one works."""
    await database.transaction(put("before"))
    with pytest.raises(sqlite3.IntegrityError):
        await database.transaction(put("half", "before"))
    assert await words(database) == ["before"]
    await database.transaction(put("after"))
    assert await words(database) == ["after", "before"]


async def test_a_transaction_gives_back_what_its_work_returns(database):
    """The value comes over from the database's thread."""
    assert await database.transaction(lambda c: c.execute("SELECT 6 * 7").fetchone()[0]) == 42


async def test_a_cancelled_caller_does_not_take_its_work_along(database):
    """What was handed over is committed whole, even if it still waited for its turn."""
    turn = threading.Event()
    before = asyncio.create_task(database.transaction(lambda _: turn.wait(10)))
    doing = asyncio.create_task(database.transaction(put("one", "two")))
    await asyncio.sleep(0)
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    assert doing.cancelled()
    turn.set()
    assert await before
    assert await words(database) == ["one", "two"]


async def test_what_was_committed_is_there_after_a_reopening(tmp_path, database):
    """Another handle reads it, and opening twice changes no table."""
    await database.transaction(put("kept"))
    again = Database(tmp_path / "footfall.db", [SCHEMA])
    await again.open()
    assert await words(again) == ["kept"]
    await again.close()


async def test_a_damaged_file_is_told_and_not_overwritten(tmp_path):
    """StateError says which file and what to do; its bytes stay."""
    path = tmp_path / "footfall.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StateError, match=r"footfall\.db.*move it away"):
        await Database(path, [SCHEMA]).open()
    assert path.read_bytes() == b"this is no database at all" * 100


async def test_a_closed_database_says_so(tmp_path):
    """Work that never was opened is refused, not lost in silence."""
    with pytest.raises(StateError, match="closed"):
        await Database(tmp_path / "footfall.db", [SCHEMA]).transaction(put("lost"))


async def test_a_failed_commit_spoils_nothing_after_it(database):
    """What can't be committed is told and rolled back; the next transaction works."""

    def orphan(connection):
        connection.execute("PRAGMA defer_foreign_keys=ON")
        connection.execute("INSERT INTO child VALUES (1, 99)")

    def tables(connection):
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE child (id INTEGER, of INTEGER REFERENCES parent (id))")

    await database.transaction(tables)
    await asyncio.get_running_loop().run_in_executor(
        database._thread, lambda: database._connection.execute("PRAGMA foreign_keys=ON")
    )
    with pytest.raises(sqlite3.IntegrityError):
        await database.transaction(orphan)
    count = await database.transaction(
        lambda connection: connection.execute("SELECT count(*) FROM child").fetchone()[0]
    )
    assert count == 0
