"""The switch, as somebody throws it before a migration, and windows, with the real daemon."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon, until
from tests.support.otlp import OtlpReceiver

if TYPE_CHECKING:
    from tests.support.signals import Metric

ENDLESS = """
for number in range(1000):
    async with run.step(f"Step {number}"):
        print("MARK", time.time(), flush=True)
        await run.page.goto("/")
        await asyncio.sleep(0.02)
"""
"""The body of a journey that never stands still, and says when each of its steps began."""
TIMEOUT = 17.0
AT_LEAST = 2.0
"""Seconds that a walk must have left, so that it doesn't end by itself before the command comes."""
IDLE = "2 idle, 0 busy, 0 starting"
SENT = 40.0
"""Seconds for what is sent at once to arrive, on a busy machine."""


@pytest.fixture
def walking(home):
    """Two journeys that are under way nearly always."""
    for name in ("one", "two"):
        home.journey(name, ENDLESS)
    home.configure(schedule={"every": "20s", "timeout": f"{TIMEOUT:g}s", "grace": "2s"})
    return home


def steps(daemon) -> list[tuple[str, float]]:
    """Each step so far: the run and when it began."""
    marks = [record for record in daemon.records if record["event"].startswith("MARK")]
    return [(one["run_id"], float(one["event"].split()[1])) for one in marks]


def two_walks(daemon) -> set[str]:
    """The two runs that have taken steps within the last second; none if one is about to end."""
    now, taken = time.time(), steps(daemon)
    began = dict(reversed(taken))
    lately = {run for run, at in taken if at > now - 1}
    two = len(lately) == 2 and all(began[run] > now - TIMEOUT + AT_LEAST for run in lately)
    return lately if two else set()


async def ended(home, key: str, value: str) -> dict:
    """The run of this journey or id, once it is in the books."""
    await until(lambda: [run for run in home.runs() if run[key] == value])
    return next(run for run in home.runs() if run[key] == value)


async def test_now_ends_every_walk_at_once(walking):
    """No walk takes a step once the agent says that it is paused; each is not measured, stopped,
    once and never again; no process is left but idle workers, and the books balance."""
    async with Daemon(walking) as daemon:
        await daemon.started()
        # On a busy machine earlier walks may have ended by themselves: these two are meant.
        walks = await until(lambda: two_walks(daemon), otherwise=daemon.story)
        told = await walking.footfall("pause", "--all", "--now", "--reason", "db migration")
        assert told.code == 0, told.err
        (said,) = re.findall(r"^Ended under way: (.+)\.$", told.out, re.MULTILINE)
        runs = [await ended(walking, "run_id", run_id) for run_id in walks]
        # On a busy machine one may have ended by itself before the command was heard.
        stopped = [run for run in runs if run["journey"] in said.split(", ")]
        assert stopped
        for run in stopped:
            assert (run["result"], run["error_type"]) == ("not_measured", "stopped")
            assert "db migration" in run["error"]
            assert run["attempts"][-1]["error_type"] == "stopped"
        (paused,) = daemon.events("pause.set")
        at = datetime.fromisoformat(paused["timestamp"]).timestamp()
        assert max(taken for _, taken in steps(daemon)) < at + 0.001
        assert set(walking.balance().values()) == {0}
        async with asyncio.timeout(30):
            while (await daemon.get("/readyz"))[1]["checks"]["workers"]["detail"] != IDLE:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        resumed = await walking.footfall("resume", "one")
        assert "Resumed: one." in resumed.out
        await daemon.wait_for("pause.ended", lambda r: r["resumed"] == ["one"])


async def test_now_ends_a_rest_before_the_confirmation(home):
    """A failure that waits to be confirmed is neither confirmed nor counted as one."""
    home.journey("fails", 'await run.page.goto("/")\nassert False, "no mug"')
    home.configure(schedule={"every": "40s", "timeout": "5s", "confirm_after": "30s"})
    async with Daemon(home) as daemon:
        await daemon.started()
        # The first attempt is over, and its worker does nothing any more.
        await until(lambda: list((home.state / "artifacts").rglob("failure.json")))
        began = time.time()
        told = await home.footfall("pause", "fails", "--now", "--reason", "so")
        assert "Ended under way: fails." in told.out, told
        run = await ended(home, "journey", "fails")
        assert run["ended_at"] - began < 20, "it rests for thirty"
        assert (run["result"], run["error_type"]) == ("not_measured", "stopped")
        assert [one["error_type"] for one in run["attempts"]] == ["assertion", "stopped"]
        assert set(home.balance().values()) == {0}


async def test_a_pause_outlives_restart_kill_and_damage(home):
    """Nothing is walked after a restart, a kill -9 and with a database that was damaged; slots
    are skipped as paused; who and why are told; a resume has it walk again."""
    home.journey("look", LOOK)
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("look")
        told = await home.footfall("pause", "look", "--reason", "moving the store")
        assert told.code == 0, told.err
        await until(lambda: skipped(home) > 0)
        assert await daemon.terminate() == 0
    walked = len(home.runs())
    async with Daemon(home) as daemon:
        await daemon.started()
        before = skipped(home)
        await until(lambda: skipped(home) > before)
        await daemon.kill()
    with closing(sqlite3.connect(home.state / "footfall.db")) as books:
        books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database = (home.state / "footfall.db").read_bytes()
    (home.state / "footfall.db").write_bytes(database[:100] + b"\xff" * 3000 + database[3100:])
    async with Daemon(home) as daemon:
        await daemon.started()
        assert daemon.events("state.damaged")
        before = skipped(home)
        await until(lambda: skipped(home) > before)
        shown = await home.footfall("status")
        assert "paused" in shown.out
        assert "moving the store" in shown.out
        assert len(home.runs()) <= walked
        assert (await home.footfall("resume", "--all")).code == 0
        await daemon.finished("look", "pass")
        assert await daemon.terminate() == 0
    assert set(home.balance().values()) == {0}


def skipped(home, reason: str = "paused") -> int:
    """How many slots were skipped for a reason so far."""
    rows = home.rows(
        "SELECT coalesce(sum(total), 0) AS n FROM slot_totals WHERE kind = 'skip' AND word = ?",
        reason,
    )
    return rows[0]["n"]


async def test_a_record_that_cannot_be_read_walks_nowhere(home):
    """Nobody knows what was paused, so nothing is walked, and status says why; over a restart
    too, until somebody resumes it."""
    home.journey("look", LOOK)
    home.state.mkdir()
    (home.state / "pauses.json").write_bytes(b"\0" * 64)
    for _ in range(2):
        async with Daemon(home) as daemon:
            await daemon.started()
            before = skipped(home)
            await until(lambda: skipped(home) > before)  # noqa: B023 - awaited at once
            shown = await home.footfall("status")
            assert "can't be read" in shown.out
            assert await daemon.terminate() == 0
    assert not home.runs()


async def test_a_walk_under_way_ends_as_usual(home):
    """A pause without --now lets the walk come to its verdict, which counts."""
    home.environment["HOME"] = str(home.path)
    stay = 'while not os.path.exists(os.environ["HOME"] + "/paused"):\n    await asyncio.sleep(0.1)'
    home.journey("linger", f"{LOOK}\n{stay}")
    home.configure(journey__linger={"every": "12s", "timeout": "10s"})
    async with Daemon(home) as daemon:
        await daemon.started()
        await until(lambda: any(row["state"] == "running" for row in home.slots()))
        told = await home.footfall("pause", "linger", "--reason", "so", "--for", "1h")
        assert "Under way still" in told.out, told
        (home.path / "paused").touch()
        await daemon.finished("linger", "pass")
        await until(lambda: skipped(home) > 0)
        assert await daemon.terminate() == 0
    assert [run["result"] for run in home.runs()] == ["pass"]


async def test_a_window_stops_the_walks_and_a_reload_ends_it(home):
    """A window that began before the agent holds it; without it in the configuration, walks
    begin; both are told in the log."""
    home.journey("look", LOOK)
    plain = home.config.read_text()
    begin = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="seconds")
    home.config.write_text(
        f'{plain}\n[[maintenance]]\njourneys = ["*"]\nstarts = {begin}\nlasts = "1h"\n'
        'reason = "weekly release"\n'
    )
    async with Daemon(home) as daemon:
        await daemon.started()
        told = await daemon.wait_for("window.began")
        assert (told["reason"], told["journeys"]) == ("weekly release", ["look"])
        await until(lambda: skipped(home, "maintenance") > 0)
        shown = await home.footfall("status")
        assert "maintenance" in shown.out
        assert "weekly release" in shown.out
        resumed = await home.footfall("resume", "look")
        assert "in a maintenance window" in resumed.out
        assert not home.runs()
        home.config.write_text(plain)
        assert (await home.footfall("reload")).code == 0
        await daemon.wait_for("window.ended")
        await daemon.finished("look", "pass")
        assert await daemon.terminate() == 0
    assert set(home.balance().values()) == {0}


async def test_silence_walks_on(home):
    """Under --silence runs go on and count, and the journey shows as paused."""
    home.journey("look", LOOK)
    async with Daemon(home) as daemon:
        await daemon.started()
        told = await home.footfall("pause", "look", "--silence", "--reason", "noisy")
        assert told.code == 0, told.err
        await daemon.finished("look", "pass", after=len(daemon.records))
        assert skipped(home) == 0
        _, listed = await daemon.get("/api/v1/journeys")
        (journey,) = listed["journeys"]
        assert journey["suspended"]["mode"] == "silence"
        assert listed["pauses"][0]["journeys"] == ["look"]


async def test_rules_hear_of_it_at_once(home):
    """One while it holds, over a kill, and up to the first verdict after it; then zero. Each is
    sent when it is so, not at the next of the metrics' intervals."""
    home.journey("look", LOOK)
    async with OtlpReceiver() as otlp:
        home.environment = {}
        home.configure(telemetry={"endpoint": otlp.http_endpoint, "interval": "10m"})

        def of(end: str) -> list[Metric]:
            wanted = {"end": end, "reason": "pause", "mode": "stop"}.items()
            named = [m for m in otlp.metrics if m.name == "footfall.journey.suspended"]
            return sorted(
                (m for m in named if wanted <= m.attributes.items()), key=lambda m: m.time_ns
            )

        def told(end: str) -> float | None:
            return of(end)[-1].value if of(end) else None

        async with Daemon(home) as daemon:
            await daemon.started()
            await daemon.finished("look", "pass")
            assert told("open") is None
            assert (await home.footfall("pause", "--all", "--reason", "so")).code == 0
            await otlp.wait_for(lambda _: told("open") == 1, SENT)
            await daemon.kill()
        otlp.metrics.clear()
        async with Daemon(home) as daemon:
            await daemon.started()
            await otlp.wait_for(lambda _: told("open") == 1, SENT)
            before = len(home.runs())
            assert (await home.footfall("resume", "--all")).code == 0
            await otlp.wait_for(lambda _: told("open") == 0)
            assert len(home.runs()) > before
            told_once = await home.footfall("pause", "look", "--for", "2s", "--reason", "so")
            assert told_once.code == 0
            # Both words may have come by now.
            await otlp.wait_for(lambda _: 1 in {point.value for point in of("set")}, SENT)
            await daemon.wait_for("pause.ended", lambda r: r["until"])
            await otlp.wait_for(lambda _: told("set") == 0)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name journeys, or give --all"),
        (("look", "--all"), "not both"),
        (("nobody",), "no journey is called 'nobody'; known: look"),
        (("look", "--now", "--silence"), "give one"),
        (("look", "--for", "soon"), "is not a duration"),
        (("look", "--for", "0s"), "longer than 0s"),
    ],
)
async def test_bad_usage_pauses_nothing(home, arguments, why):
    """It says what is wrong, exits 2, and everything goes on."""
    home.journey("look", LOOK)
    async with Daemon(home) as daemon:
        await daemon.started()
        told = await home.footfall("pause", *arguments, "--reason", "so")
        assert told.code == 2
        assert why in told.err
        _, listed = await daemon.get("/api/v1/journeys")
        assert listed["pauses"] == []


async def test_without_an_agent_or_a_reason(home):
    """No agent: 4. No reason: 2, whether one answers or not."""
    assert (await home.footfall("pause", "--all", "--reason", "so")).code == 4
    assert (await home.footfall("resume", "--all")).code == 4
    told = await home.footfall("pause", "--all")
    assert told.code == 2
    assert "say why" in told.err
