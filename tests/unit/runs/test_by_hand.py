"""Runs by hand: after the schedule, beside it, and in none of its books."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.core.model import Trigger
from agent.core.results import Result
from agent.queue.local import LocalQueue
from agent.runs import by_hand, dispatcher
from agent.runs.by_hand import RunsByHand
from agent.storage import asked_runs
from tests.support.clock import ManualClock
from tests.support.slot_counts import count_slots
from tests.unit.runs.conftest import JOURNEYS, REST, SCHEMAS
from tests.unit.runs.test_dispatcher import CountingDatabase, Middle

A = JOURNEYS[0]
LOOK = 0.1
"""Seconds between two looks for a free worker."""


@pytest.fixture
def clock():
    return ManualClock(1_700_000_000.0, waits=True)


@pytest.fixture
async def database(tmp_path, clock):
    opened = CountingDatabase(tmp_path / "footfall.db", (*SCHEMAS, asked_runs.SCHEMA), clock)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def middle(database, clock, monkeypatch):
    """One worker, three runners, and runs by hand beside them."""
    for module in (dispatcher, by_hand):
        monkeypatch.setattr(module, "free_memory", lambda: 1 << 40)
    made = Middle(database, LocalQueue(8), clock, runners=3)
    made.by_hand = RunsByHand(made.walks, made.dispatcher, database, made.sent, clock)
    yield made
    await made.by_hand.cancel()
    await made.stop()


async def look(middle, clock):
    """Have whoever looks for a worker look again."""
    await middle.settle()
    clock.advance(LOOK)
    await middle.settle()


def walking(middle):
    return [(r.journey.name, r.trigger.value) for r, _ in middle.walks.under_way.values()]


async def kept(database, run_id):
    found = await database.transaction(lambda c: asked_runs.find(c, run_id))
    return json.loads(found[0]) if found else None


async def test_it_goes_after_what_the_schedule_has_waiting(middle, clock):
    """However long it has waited: every slot that waits by then goes first."""
    await middle.offer("b")
    await middle.settle()
    await middle.by_hand.ask(A)
    await middle.offer("c")
    for name in ("b", "c"):
        await look(middle, clock)
        assert walking(middle) == [(name, "schedule")]
        await middle.tell(Result.PASS)
    await look(middle, clock)
    assert walking(middle) == [("a", "api")]


async def test_a_slot_that_is_due_meanwhile_waits(middle, database, clock):
    """However long: it is neither an overrun nor too late, takes no worker while it waits, and no
    journey overlaps itself."""
    await middle.by_hand.ask(A)
    await look(middle, clock)
    await middle.offer("a")
    clock.advance(60.0)
    await middle.tell(REST)
    middle.now += 60.0
    await middle.offer("b")
    await middle.settle()
    assert walking(middle) == [("b", "schedule")]
    await middle.tell(Result.PASS)
    (woken,) = middle.walks.resting.values()
    woken.set_result(None)
    await middle.settle()
    assert walking(middle) == [("a", "api")]
    await middle.tell(Result.PASS)
    assert walking(middle) == [("a", "schedule")]
    await middle.tell(Result.PASS)
    assert (await middle.states())["a"] == ("done", "pass")


async def test_it_waits_for_a_slot_of_its_own_journey(middle, clock):
    """Also where there is a worker to spare, while that slot's run rests."""
    await middle.offer("a")
    await middle.settle()
    await middle.tell(REST)
    await middle.by_hand.ask(A)
    await look(middle, clock)
    assert walking(middle) == []
    await middle.wake("a")
    await middle.tell(Result.PASS)
    await look(middle, clock)
    assert walking(middle) == [("a", "api")]


@pytest.mark.parametrize("result", [Result.PASS, Result.FAIL, Result.NOT_MEASURED])
async def test_it_counts_for_nothing_but_itself(middle, database, clock, result):
    """No slot, no total, no state and no history of its journey; its spans and its log record are
    sent, and it is kept for whoever asked."""
    request = await middle.by_hand.ask(A)
    assert middle.by_hand.of("a") == request.run_id
    assert middle.walks.live.find(request.run_id).document()["state"] == "waiting"
    await look(middle, clock)
    told = middle.walks.live.find(request.run_id).document()
    assert (told["state"], told["trigger"]) == ("running", "api")
    await middle.tell(result)
    assert middle.by_hand.of("a") is None
    run = await kept(database, request.run_id)
    assert (run["trigger"], run["result"]) == ("api", result.value)
    tables = ("slots", "slot_totals", "runs", "journey_state", "telemetry_totals")

    def count(connection):
        rows = {}
        for table in tables:
            (rows[table],) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        signals = connection.execute("SELECT DISTINCT signal FROM spool")
        return rows, {row[0] for row in signals}

    rows, signals = await database.transaction(count)
    assert rows == dict.fromkeys(tables, 0)
    assert signals == {"traces", "logs"}
    assert not await database.transaction(lambda c: count_slots(c, "eu"))


async def test_the_end_of_the_agent_is_told(middle, database, clock):
    """What waits is not measured, with the reason; what is walked may come to its end, and the
    drain waits for it."""
    first = await middle.by_hand.ask(A)
    await look(middle, clock)
    second = await middle.by_hand.ask(JOURNEYS[1])
    await look(middle, clock)
    middle.by_hand.drain()
    drained = asyncio.create_task(middle.dispatcher.drain())
    await look(middle, clock)
    assert "before the run began" in (await kept(database, second.run_id))["error"]
    assert not drained.done()
    await middle.tell(Result.PASS)
    assert drained.done()
    assert (await kept(database, first.run_id))["result"] == "pass"


async def test_what_is_broken_off_is_told(middle, database, clock):
    """Walking or waiting, at the end of the drain."""
    asked = [await middle.by_hand.ask(journey) for journey in JOURNEYS[:2]]
    await look(middle, clock)
    assert len(walking(middle)) == 1
    await middle.by_hand.cancel()
    errors = {(await kept(database, one.run_id))["error"] for one in asked}
    assert errors == {
        "the agent was stopped before the run began",
        "the agent was stopped under the run",
    }


async def test_what_a_kill_cut_is_told_by_the_next_start(middle, database):
    """As `worker_lost`; of a journey that is gone nothing is left."""
    names = {"known": "a", "unknown": "gone"}
    for run_id, name in names.items():
        await database.transaction(
            lambda c, i=run_id, n=name: asked_runs.ask(c, i, n, 1_699_999_990.0)
        )
    await middle.by_hand.end_unfinished()
    run = await kept(database, "known")
    assert (run["error_type"], run["duration"]) == ("worker_lost", 10.0)
    assert await kept(database, "unknown") is None
    assert not await database.transaction(asked_runs.unfinished)


async def test_a_fault_of_the_agents_own_costs_one_run(middle, database, clock):
    """It is told, and the journey can be asked for again."""
    request = await middle.by_hand.ask(A)
    await look(middle, clock)
    await middle.tell(None)
    run = await kept(database, request.run_id)
    assert (run["result"], run["error_type"]) == ("not_measured", "worker_lost")
    assert "OverflowError" in run["error"]
    again = await middle.by_hand.ask(A)
    assert again.trigger is Trigger.API


async def test_a_journey_that_goes_meanwhile_is_not_walked(middle, database, clock):
    """A reload may take it away, or disable it, while its run waits."""
    await middle.offer("b")
    await middle.settle()
    request = await middle.by_hand.ask(A)
    middle.dispatcher.journeys = {"b": JOURNEYS[1]}
    await look(middle, clock)
    assert "no longer loaded" in (await kept(database, request.run_id))["error"]
    assert walking(middle) == [("b", "schedule")]


async def test_without_memory_for_a_browser_it_waits(middle, clock, monkeypatch):
    """It must not have the kernel kill one that measures."""
    monkeypatch.setattr(by_hand, "free_memory", lambda: 1)
    await middle.by_hand.ask(A)
    await look(middle, clock)
    assert walking(middle) == []


async def test_the_last_two_hundred_are_kept(database):
    """And all that are not over, however old."""

    def write(connection):
        asked_runs.ask(connection, "open", "a", 0.0)
        for number in range(1, 251):
            asked_runs.ask(connection, f"run-{number}", "a", float(number))
            asked_runs.end(connection, {"run_id": f"run-{number}"}, b"")
        found = connection.execute("SELECT run_id FROM asked_runs").fetchall()
        return {row[0] for row in found}

    found = await database.transaction(write)
    assert "open" in found
    assert {"run-250", "run-52"} <= found
    assert "run-50" not in found


async def test_who_has_all_walks_end_sees_none_begin_afterwards(middle, database, clock):
    """A run that waits for a worker is stopped as those are that are walked: with the word for
    it, and without a walk."""
    await middle.offer("a")
    await middle.settle()
    request = await middle.by_hand.ask(JOURNEYS[1])
    await look(middle, clock)
    assert walking(middle) == [("a", "schedule")]
    assert middle.walks.stops.ask(None, "stopped by anna: so") == ["a", "b"]
    await middle.end()
    await look(middle, clock)
    assert walking(middle) == []
    told = await kept(database, request.run_id)
    assert (told["result"], told["error_type"]) == ("not_measured", "stopped")
    assert told["error"] == "stopped by anna: so"
    assert middle.walks.stops.under_way == []
