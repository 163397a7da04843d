"""The state folder: its lock and its lasting id."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest
import structlog

from agent.core.clock import SystemClock
from agent.core.errors import StateError, StateLocked
from agent.storage.database import Database
from agent.storage.folder import StateFolder


def test_a_held_folder_names_its_holder(tmp_path):
    """Another process that wants it is told which one holds it; after a release it is free."""
    folder = StateFolder(tmp_path / "var")
    folder.acquire()
    acquire = (
        "import sys; from pathlib import Path; from agent.storage.folder import StateFolder; "
        "StateFolder(Path(sys.argv[1])).acquire()"
    )
    command = [sys.executable, "-c", acquire, str(tmp_path / "var")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "StateLocked" in refused.stderr
    assert f"process {os.getpid()}" in refused.stderr
    folder.release()
    assert subprocess.run(command, check=False).returncode == 0


def test_who_is_refused_leaves_the_holders_lock(tmp_path):
    """The loser neither takes nor empties it."""
    holder, other = StateFolder(tmp_path), StateFolder(tmp_path)
    holder.acquire()
    for _ in range(2):
        with pytest.raises(StateLocked, match=str(os.getpid())):
            other.acquire()
    holder.release()
    other.acquire()
    other.release()


def test_the_instance_id_lasts(tmp_path):
    """The same after every start; a damaged one is made anew, and lasts again."""
    folder = StateFolder(tmp_path)

    def acquired() -> str:
        try:
            return folder.acquire()
        finally:
            folder.release()

    first = acquired()
    assert str(uuid.UUID(first)) == first
    assert acquired() == first
    (tmp_path / "instance-id").write_text("half an i")
    second = acquired()
    assert second != first
    assert acquired() == second


def test_acquiring_makes_what_is_missing(tmp_path):
    """A first start on nothing: folders for artifacts and scratch."""
    folder = StateFolder(tmp_path / "deep" / "var")
    folder.acquire()
    assert folder.artifacts.is_dir()
    assert folder.scratch.is_dir()
    folder.release()


def test_a_folder_that_can_not_be_made_says_what_to_do(tmp_path):
    """The message names the folder and the key."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"file/var.*`state`"):
        StateFolder(tmp_path / "file" / "var").acquire()


@pytest.fixture
def no_mask():
    before = os.umask(0)
    yield
    os.umask(before)


def rights(folder):
    """The mode of each file and folder, the database's log included."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777
        for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.usefixtures("no_mask")
@pytest.mark.parametrize("there", ["", "of an older agent", "empty", "with other things"])
async def test_what_lies_in_the_folder_is_its_users_alone(tmp_path, there):
    """On a fresh start, and where an older agent left all of it open to everybody. The folder
    itself is too, unless somebody keeps other things there."""
    path = tmp_path / "var"
    folder = StateFolder(path)
    if there in {"empty", "with other things"}:
        path.mkdir()
    if there == "with other things":
        (path / "notes.txt").touch(mode=0o600)
    if there == "of an older agent":
        for one in (path, path / "artifacts", path / "scratch"):
            one.mkdir()
        for name in ("lock", "instance-id", "footfall.db", "footfall.db-wal"):
            (path / name).touch()
        (path / "instance-id").write_text(str(uuid.uuid4()))
    folder.acquire()
    database = Database(folder.database, ["CREATE TABLE IF NOT EXISTS t (x);"], SystemClock())
    await database.open()
    await database.transaction(lambda c: c.execute("INSERT INTO t VALUES (1)"))
    found = rights(path)
    await database.close()
    folder.release()
    assert found.pop(".") == (0o777 if there == "with other things" else 0o700)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
    assert {"lock", "instance-id", "footfall.db", "footfall.db-wal"} <= set(found)


@pytest.mark.usefixtures("no_mask")
async def test_a_database_made_after_damage_is_private_too(tmp_path):
    """What was set aside keeps the rights it had, which are its user's alone."""
    folder = StateFolder(tmp_path)
    folder.acquire()
    folder.database.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    database = Database(folder.database, ["CREATE TABLE IF NOT EXISTS t (x);"], SystemClock())
    with structlog.testing.capture_logs():
        await database.open()
    found = rights(tmp_path)
    await database.close()
    folder.release()
    assert any("damaged" in name for name in found)
    found.pop(".")
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


@pytest.mark.usefixtures("no_mask")
def test_evidence_of_a_run_that_nobody_scheduled_is_private_too(tmp_path):
    """Its state is a scratch one elsewhere; the folder of its artifacts is the agent's."""
    folder = StateFolder(tmp_path / "scratch", artifacts=tmp_path / "var" / "artifacts")
    folder.acquire()
    folder.release()
    for made in (tmp_path / "var", tmp_path / "var" / "artifacts", tmp_path / "scratch"):
        assert made.stat().st_mode & 0o777 == 0o700
