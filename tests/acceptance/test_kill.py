"""What survives kill -9, and who may share a state folder."""

from __future__ import annotations

import time

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon, until


async def test_a_killed_daemon_costs_the_run_under_way_and_no_more(home):
    """After kill -9 and a restart: the run under way is not_measured/worker_lost, nothing of
    the first life is left, no slot is decided twice, and totals go on instead of anew."""
    home.journey("linger", f"{LOOK}\nawait asyncio.sleep(1)")
    home.journey("look", LOOK)
    home.configure(journey__linger={"every": "4s", "timeout": "3s"}, schedule={"every": "3s"})
    async with Daemon(home) as first:
        await first.started()
        await first.finished("linger", "pass")
        await first.finished("look", "pass")
        before = home.totals("expected")
        # One that has just begun, so that it is under way still when the kill comes.
        await until(lambda: not running(home, "linger"), otherwise=first.story)
        await until(lambda: running(home, "linger"), otherwise=first.story)
        lost = running(home, "linger")
        seen = {run["run_id"] for run in home.runs()}
        await first.kill()
    decided = [row["run_id"] for row in home.slots()]
    assert lost in decided
    async with Daemon(home) as second:
        await second.started()
        told = await second.wait_for("run.lost", lambda r: r["run_id"] == lost)
        assert told["journey"] == "linger"
        await second.finished("linger", "pass")
        await second.finished("look", "pass")
        assert await second.terminate() == 0, second.story()
    assert not home.processes()
    by_id = {run["run_id"]: run for run in home.runs()}
    assert seen <= set(by_id), "the history of the first life stays"
    assert (by_id[lost]["result"], by_id[lost]["error_type"]) == ("not_measured", "worker_lost")
    assert "died" in by_id[lost]["error"]
    twice = [one["run_id"] for one in second.events("run.finished") if one["run_id"] in decided]
    assert not twice, "no slot of the first life is walked again"
    after = home.totals("expected")
    assert all(after[name] > before[name] for name in before)
    assert set(home.balance().values()) == {0}
    assert not home.scratch()


def running(home, journey: str) -> str | None:
    """The run id of the journey's slot that is being walked."""
    rows = [r for r in home.slots() if (r["journey"], r["state"]) == (journey, "running")]
    return rows[0]["run_id"] if rows else None


async def test_workers_die_with_their_daemon(home):
    """kill -9 of the supervisor takes workers, driver and browser along, without a restart."""
    home.journey("linger", f"{LOOK}\nawait asyncio.sleep(1)")
    async with Daemon(home) as daemon:
        await daemon.started()
        # Two workers and their drivers, and a browser of several processes.
        await until(lambda: len(home.processes()) > 6, otherwise=daemon.story)
        await daemon.kill()
        await home.until_gone()


async def test_the_time_without_an_agent_is_counted(home):
    """Slots that came due while nothing ran are skipped as down, with their count."""
    home.journey("look", LOOK)
    home.configure(schedule={"every": "2s", "timeout": "1s", "grace": "1s"})
    async with Daemon(home) as first:
        await first.started()
        await until(home.slots, otherwise=first.story)
        await first.kill()
    last = home.slots()[-1]["scheduled_at"]
    await until(lambda: time.time() * 1000 > last + 4500, 8)  # two slots are missed
    async with Daemon(home) as second:
        await second.started()
        await until(lambda: home.slots()[-1]["scheduled_at"] > last, otherwise=second.story)
        assert await second.terminate() == 0
    later = [row for row in home.slots() if row["scheduled_at"] > last]
    covered = sum(row["count"] for row in later)
    assert covered == (later[-1]["scheduled_at"] - last) // 2000, "no slot is missing"
    assert any(row["reason"] == "down" for row in later), [dict(row) for row in later]


async def test_one_state_folder_one_agent(home):
    """A second daemon on a held folder exits 1 and names the holder; the first goes on."""
    home.journey("look", LOOK)
    async with Daemon(home) as daemon:
        await daemon.started()
        refused = await home.footfall("run", "--config", str(home.config))
        assert refused.code == 1
        assert str(daemon.pid) in refused.err
        assert "state folder" in refused.err
        assert "Traceback" not in refused.err
        await daemon.finished("look", "pass")
        assert await daemon.terminate() == 0
    async with Daemon(home) as successor:
        await successor.started()
        assert await successor.terminate() == 0
