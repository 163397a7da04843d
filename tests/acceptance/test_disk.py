"""The agent on a disk that fills up, turns read-only or spoils its files."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 2**20


@pytest.fixture
def disk(home) -> Iterator[Path]:
    """A small disk of its own as the state folder."""
    home.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "footfall-test", str(home.state)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here: that takes root")
    yield home.state
    subprocess.run(["umount", "--lazy", str(home.state)], check=True)


@pytest.fixture
def looking(home):
    home.journey("look", LOOK)
    home.configure(schedule={"every": "4s", "timeout": "3s", "grace": "1s"}, workers={"count": 1})
    return home


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return ballast


async def lives_through(daemon: Daemon, home, disk: Path) -> None:
    """The trouble is told and no reason to be killed; nothing else is said until it is over."""
    told = await daemon.wait_for("state.unwritable")
    assert str(disk) in told["path"]
    status, body = await daemon.get("/readyz")
    assert (status, body["checks"]["state"]["ok"]) == (503, False), body
    assert (await daemon.get("/healthz"))[0] == 200


async def test_a_full_disk(looking, disk):
    """With the disk full nothing is lost and nothing is decided; with room again the slots that
    passed are skips, the books balance, and the journey goes on."""
    async with Daemon(looking) as daemon:
        await daemon.finished("look", "pass")
        ballast = fill(disk)
        await lives_through(daemon, looking, disk)
        ballast.unlink()
        await daemon.wait_for("state.writable")
        await daemon.finished("look", "pass", after=len(daemon.records))
        assert (await daemon.get("/readyz"))[0] == 200
        looking.balance()
        assert await daemon.terminate() == 0, daemon.story()
    assert set(looking.balance().values()) == {0}
    assert {run["result"] for run in looking.runs()} == {"pass"}
    assert len(daemon.events("state.unwritable")) == 1


async def test_the_end_on_a_full_disk(looking, disk):
    """An agent whose disk is full still ends soon when told to; the slot that could not be ended
    has its word after the next start."""
    async with Daemon(looking) as daemon:
        await daemon.finished("look", "pass")
        ballast = fill(disk)
        await daemon.wait_for("state.unwritable")
        daemon.signal(15)
        # Two at once would be one, to a process that has had no time to take the first.
        await daemon.wait_for("drain.started")
        daemon.signal(15)
        await daemon.ended(30)
        assert not looking.processes()
    ballast.unlink()
    async with Daemon(looking) as daemon:
        await daemon.finished("look", "pass")
        assert await daemon.terminate() == 0, daemon.story()
    assert set(looking.balance().values()) == {0}


async def test_a_disk_that_refuses(looking, disk):
    """Errors of the disk itself are waited for like one that is full."""
    async with Daemon(looking) as daemon:
        await daemon.finished("look", "pass")
        # A disk with open files can't be made read-only by hand; this refuses its writes alike.
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        await lives_through(daemon, looking, disk)
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, unlimited)
        await daemon.finished("look", "pass", after=len(daemon.records))
        assert await daemon.terminate() == 0, daemon.story()
    assert set(looking.balance().values()) == {0}


async def test_a_read_only_state_folder_is_no_start(looking, disk):
    """Told at once, with what to do."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)  # noqa: ASYNC221 - short
    finished = await looking.footfall("run", "--config", str(looking.config))
    assert finished.code == 1
    assert "state folder" in finished.err
    assert "key `state`" in finished.err


@pytest.mark.parametrize("how", ["overwritten", "truncated", "another kind"])
async def test_a_damaged_database_is_no_reason_to_stay_down(looking, how):
    """The agent starts, says what it saved, keeps the damaged file, and its books balance."""
    async with Daemon(looking) as daemon:
        await daemon.finished("look", "pass")
        await daemon.finished("look", "pass", after=len(daemon.records))
        await daemon.kill()
    await looking.until_gone()
    path = looking.state / "footfall.db"
    with closing(sqlite3.connect(path)) as connection:
        # What still stands in the log would mend the file at once.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if how == "another kind":
        path.write_text("not a database\n" * 400)
    else:
        content = path.read_bytes()
        half = len(content) // 2
        path.write_bytes(content[:half] + (b"\xff" * half if how == "overwritten" else b""))
    async with Daemon(looking) as daemon:
        told = await daemon.wait_for("state.damaged")
        assert "slots" in told["rows_saved"]
        await daemon.finished("look", "pass")
        looking.balance()
        assert await daemon.terminate() == 0, daemon.story()
    assert set(looking.balance().values()) == {0}
    assert len(list(looking.state.glob("footfall.db.damaged-*Z"))) == 1
