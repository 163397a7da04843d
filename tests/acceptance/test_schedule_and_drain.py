"""The daemon on its schedule, from the start to the drain."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from statistics import median

import pytest

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon, until

JOURNEYS = {"look_a": 2, "look_b": 2, "look_c": 3, "look_d": 3}
"""Seconds between their slots."""


def unix(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


@pytest.fixture
def four(home):
    for name in JOURNEYS:
        home.journey(name, LOOK)
    keys = {
        f"journey__{name}": {"every": f"{every}s", "timeout": "1s", "grace": "1s"}
        for name, every in JOURNEYS.items()
    }
    home.configure(**keys)
    return home


async def test_every_slot_has_one_word_and_nothing_is_left(four):
    """Expected = results + skips + in flight all along; a drain leaves none in flight, no
    process and no scratch, and exits 0; starts neither drift nor overlap."""
    async with Daemon(four) as daemon:
        await daemon.started()
        for name in JOURNEYS:
            await daemon.finished(name)
        await until(lambda: len(four.runs()) >= 14, otherwise=daemon.story)
        assert four.processes()
        books = four.balance()
        assert sum(books.values()) <= len(JOURNEYS), "at most one run of each is under way"
        assert await daemon.terminate() == 0, daemon.story()
    assert not four.processes()
    assert not four.scratch()
    assert set(four.balance().values()) == {0}
    check_starts(four)
    check_overlap(four)
    logged = [record["run_id"] for record in daemon.events("run.finished")]
    assert sorted(logged) == sorted(run["run_id"] for run in four.runs())
    done = [row for row in four.slots() if row["state"] == "done"]
    assert sorted(logged) == sorted(row["run_id"] for row in done)
    assert not daemon.noise


def check_starts(home) -> None:
    """Slots lie on the wall clock, each journey on an offset that stays; starts are near."""
    late = []
    for name, every in JOURNEYS.items():
        times = [row["scheduled_at"] for row in home.slots() if row["journey"] == name]
        assert len({time % (every * 1000) for time in times}) == 1, times
        gaps = {(later - earlier) % (every * 1000) for earlier, later in pairwise(times)}
        assert gaps == {0}
    for run in home.runs():
        start = unix(run["started_at"]) - unix(run["scheduled_at"])
        assert start > -0.01, "no run starts before its slot"
        late.append(start)
    assert median(late) < min(JOURNEYS.values()), late


def check_overlap(home) -> None:
    by_journey = defaultdict(list)
    for run in home.runs():
        by_journey[run["journey"]].append((unix(run["started_at"]), run["ended_at"]))
    assert set(by_journey) == set(JOURNEYS)
    for spans in by_journey.values():
        for (_, ended), (started, _) in pairwise(sorted(spans)):
            assert started >= ended - 0.002, "a journey never overlaps itself"


async def test_a_drain_lets_the_run_under_way_end(home):
    """SIGTERM starts nothing new; what walks ends with its own result, and then exit 0."""
    home.journey("linger", f'{LOOK}\nrun.log.info("waiting", order=17)\nawait asyncio.sleep(1.5)')
    home.configure(schedule={"every": "9s", "timeout": "8s", "grace": "1s"})
    async with Daemon(home) as daemon:
        await daemon.started()
        await until(
            lambda: any(r["state"] == "running" for r in home.slots()), otherwise=daemon.story
        )
        assert await daemon.terminate() == 0, daemon.story()
    (run,) = home.runs()
    assert run["result"] == "pass", daemon.story()
    (logged,) = daemon.events("waiting")
    (told,) = daemon.events("run.finished")
    for record in (logged, told):
        assert {key: record[key] for key in ("run_id", "journey", "trace_id")} == {
            key: run[key] for key in ("run_id", "journey", "trace_id")
        }
    assert (logged["order"], logged["level"]) == (17, "info")
    assert not home.processes()
    assert not home.scratch()


async def test_more_journeys_than_can_be_walked_are_counted_and_told(home):
    """One worker and three times the work for it: what isn't run is skipped with a reason, the
    books balance, and no journey waits behind itself."""
    names = [f"slow_{number}" for number in range(6)]
    for name in names:
        home.journey(name, f"{LOOK}\nawait asyncio.sleep(0.5)")
    home.configure(workers={"count": 1}, schedule={"every": "2s", "timeout": "1s", "grace": "1s"})
    async with Daemon(home) as daemon:
        await daemon.started()
        await until(lambda: len(home.runs()) >= 5, otherwise=daemon.story)
        books = home.balance()
        assert set(books) == set(names)
        assert max(books.values()) <= 1
        assert await daemon.terminate() == 0, daemon.story()
    assert set(home.balance().values()) == {0}
    reasons = {row["reason"] for row in home.slots() if row["state"] == "skipped"}
    assert reasons & {"overrun", "capacity"}
    assert reasons <= {"overrun", "capacity", "late", "shutdown"}
    assert not home.processes()


async def test_a_second_signal_forces(home):
    """The second SIGTERM ends the runs under way as not measured, at once."""
    home.journey("hang", f"{LOOK}\nawait asyncio.sleep(60)")
    home.configure(schedule={"every": "10s", "timeout": "9s", "grace": "1s"})
    async with Daemon(home) as daemon:
        await daemon.started()
        await until(
            lambda: any(r["state"] == "running" for r in home.slots()), otherwise=daemon.story
        )
        daemon.signal(signal.SIGTERM)
        await daemon.wait_for("drain.started")
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 0
    (run,) = home.runs()
    assert (run["result"], run["error_type"]) == ("not_measured", "worker_lost")
    assert "stopped" in run["error"]
    assert not home.processes()
    assert set(home.balance().values()) == {0}


async def test_a_worker_walks_others_while_a_failure_waits_to_be_confirmed(home):
    """The one worker there is; and who asks twice for the end waits for no confirmation."""
    home.journey("down", "assert False")
    home.journey("look", LOOK)
    home.configure(
        workers={"count": 1},
        journey__down={"every": "12s", "timeout": "1s", "grace": "1s", "confirm_after": "7s"},
        journey__look={"every": "2s", "timeout": "1s", "grace": "1s"},
    )

    def looks(since):
        return [run for run in home.runs() if run["journey"] == "look" and run["ended_at"] > since]

    def down_runs():
        return [r for r in home.slots() if (r["journey"], r["state"]) == ("down", "running")]

    async with Daemon(home) as daemon:
        await daemon.started()
        failed = await daemon.finished("down")
        assert failed["result"] == "fail", daemon.story()
        (run,) = [one for one in home.runs() if one["run_id"] == failed["run_id"]]
        begun, ended = unix(run["started_at"]), unix(run["started_at"]) + 7.0
        within = [one for one in looks(begun) if begun < unix(one["started_at"]) < ended]
        assert within, daemon.story()
        await until(down_runs, otherwise=daemon.story)
        seen = time.time()
        await until(lambda: looks(seen), otherwise=daemon.story)
        assert down_runs(), "it rests"
        daemon.signal(signal.SIGTERM)
        await daemon.wait_for("drain.started")
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 0
    (last,) = [run for run in home.runs() if run["journey"] == "down"][1:]
    assert (last["result"], last["error_type"]) == ("not_measured", "worker_lost")
    assert set(home.balance().values()) == {0}
    assert not home.processes()
