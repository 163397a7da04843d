"""What a run needs before it starts: the files that were checked, and memory for a browser."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon, until

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = Path("/sys/fs/cgroup")
MIB = 2**20


async def test_a_refused_reload_changes_nothing_for_workers_that_come_later(home):
    """After a reload that was refused, fresh workers walk the files that were checked, helpers
    that are imported late among them, whatever the folder holds by then."""
    home.file("helper.py", 'PATH = "/"\n')
    body = LOOK.replace('goto("/")', "goto(__import__('helper').PATH)")
    file = home.journey("look", body)
    home.configure(
        schedule={"every": "4s", "timeout": "3s", "grace": "1s"},
        workers={"count": 1, "max_runs": 2},
    )
    async with Daemon(home) as daemon:
        await daemon.finished("look", "pass")
        file.write_text("def broken(:\n")
        (home.journeys / "helper.py").unlink()
        daemon.signal(signal.SIGHUP)
        refused = await daemon.wait_for("reload.refused")
        assert "journeys/look.py:1" in refused["error"]
        seen = len(daemon.records)
        await daemon.wait_for("worker.replaced", after=seen)
        await daemon.wait_for("worker.replaced", after=len(daemon.records))
        await daemon.finished("look", after=len(daemon.records))
        results = [record["result"] for record in daemon.events("run.finished")]
        assert set(results) == {"pass"}, daemon.story()
        assert len(list((home.state / ".journeys").iterdir())) == 1
        assert await daemon.terminate() == 0
    assert not list((home.state / ".journeys").iterdir())


@pytest.fixture
def group() -> Iterator[tuple[Path, str]]:
    """A control group for memory of the test's own, and the name of its limit."""
    for root, limit in ((GROUPS / "memory", "memory.limit_in_bytes"), (GROUPS, "memory.max")):
        folder = root / f"footfall-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / limit).exists():
            yield folder, limit
            folder.rmdir()
            return
        folder.rmdir()
    pytest.skip("control groups for memory can't be made here: that takes root, and their files")


async def test_no_run_starts_without_memory_for_its_browser(home, group):
    """Where its control group has less free than a browser takes, the agent skips slots as
    `capacity` and says why; with memory it goes on by itself."""
    folder, limit = group
    used = "memory.usage_in_bytes" if "limit" in limit else "memory.current"
    home.journey("look", LOOK)
    # So far apart that no walk is under way when the limit is set by what is used.
    home.configure(schedule={"every": "5s", "timeout": "3s", "grace": "1s"}, workers={"count": 1})
    async with Daemon(home) as daemon:
        (folder / "cgroup.procs").write_text(str(daemon.pid))
        await daemon.finished("look", "pass")
        (folder / limit).write_text(str(int((folder / used).read_text()) + 150 * MIB))
        told = await daemon.wait_for("slot.no_memory")
        assert told["journey"] == "look"
        assert told["free"] < told["need"] == 256 * MIB
        (folder / limit).write_text(str(8192 * MIB))
        await daemon.finished("look", "pass", after=len(daemon.records))
        assert await daemon.terminate() == 0, daemon.story()
    reasons = [row["reason"] for row in home.slots() if row["state"] == "skipped"]
    assert "capacity" in reasons
    assert set(home.balance().values()) == {0}
    await until(lambda: not (folder / "cgroup.procs").read_text())
