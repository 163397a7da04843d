"""Closer runs and the schedule: who goes first, and what becomes of who waits."""

from __future__ import annotations

import asyncio

import pytest

from agent.core.model import Slot
from agent.core.results import Result
from agent.runs import dispatcher
from agent.runs.closer_runs import CloserRuns
from agent.schedule.decision import Closer
from tests.support.clock import ManualClock
from tests.unit.runs.conftest import JOURNEYS, SCHEMAS
from tests.unit.runs.test_dispatcher import CountingDatabase, Middle, SharedQueue


class Watched(Middle):
    """The daemon's middle, with closer runs of journey ``a`` beside it."""

    def __init__(self, *given):
        super().__init__(*given)
        self.ledger = self.dispatcher._ledger
        self.heard = []
        self.closer = CloserRuns(
            self.walks,
            self.ledger,
            self.dispatcher,
            self.dispatcher._timeline,
            self.clock,
            self.heard.append,
        )

    def begin(self, next_slot=100.0, name="a"):
        slot = Slot(name, "eu", self.now)
        self.closer.begin([Closer(slot, 60.0)], self.now + next_slot, self.now)

    async def end_all(self, result):
        for _, told in list(self.walks.under_way.values()):
            told.set_result(result)
        await self.settle()


@pytest.fixture
async def middle(tmp_path, monkeypatch):
    monkeypatch.setattr(dispatcher, "free_memory", lambda: 1 << 40)
    clock = ManualClock(1_700_000_000.0, waits=True)
    database = CountingDatabase(tmp_path / "footfall.db", SCHEMAS, clock)
    await database.open()
    made = Watched(database, SharedQueue(), clock)
    await made.settle()
    yield made
    await made.closer.cancel()
    await made.stop()
    await database.close()


async def fail(middle):
    await middle.offer("a")
    await middle.settle()
    await middle.end(Result.FAIL)


async def test_only_a_journey_that_failed_is_watched(middle):
    """From its fail on, until the second pass in a row; then nothing more is due."""
    journey = JOURNEYS[0]
    assert middle.closer.room(journey) is None
    await fail(middle)
    assert middle.closer.room(journey) == journey.timeout + journey.grace
    for result, room in ((Result.PASS, 15.0), (Result.PASS, None)):
        middle.begin()
        await middle.settle()
        assert middle.closer.room(journey) is None, "never two at once"
        await middle.end_all(result)
        assert middle.closer.room(journey) == room, "a fail after a pass has to be confirmed"


async def test_a_slot_that_comes_due_meanwhile_waits_and_is_no_overrun(middle):
    """It is offered, walked once the closer run is over, and the books have one run."""
    await fail(middle)
    middle.begin()
    assert middle.dispatcher.beside.is_walking("a"), "from that moment on"
    await middle.settle()
    assert middle.walking() == ["a"]
    assert not middle.dispatcher.is_busy("a")
    middle.now += 10
    await middle.offer("a")
    await middle.settle()
    assert middle.walking() == ["a"], "a journey never overlaps itself"
    await middle.end_all(Result.FAIL)
    assert middle.walking() == ["a"]
    await middle.end_all(Result.PASS)
    rows = await middle.database.transaction(
        lambda c: [tuple(row) for row in c.execute("SELECT state, result FROM slots")]
    )
    assert sorted(rows) == [("done", "fail"), ("done", "pass")]
    assert middle.ledger.watched == {"a": 0}


async def test_the_last_worker_is_left_to_a_slot_that_is_due_soon(middle):
    """With one free worker it begins only where it is over before any journey's next slot."""
    await fail(middle)
    middle.begin(next_slot=5.9)
    await middle.settle()
    assert middle.walking() == []
    middle.begin(next_slot=6.0)
    await middle.settle()
    assert middle.walking() == ["a"]


async def test_without_a_worker_or_under_a_drain_it_is_passed_over(middle):
    """Where all workers walk, or the agent is ending, nothing begins and nothing is counted."""
    await fail(middle)
    await middle.offer("b")
    await middle.settle()
    middle.begin()
    await middle.settle()
    assert middle.walking() == ["b"]
    await middle.end(Result.PASS)
    await middle.dispatcher.drain()
    middle.begin()
    await middle.settle()
    assert middle.walking() == []


async def test_a_drain_waits_for_one_under_way(middle):
    """What walks may end, a closer run too, and is written down."""
    await fail(middle)
    middle.begin()
    await middle.settle()
    draining = asyncio.create_task(middle.dispatcher.drain())
    await middle.settle()
    assert not draining.done()
    await middle.end_all(Result.FAIL)
    await draining
    assert middle.ledger.watched == {"a": 2}
    assert [run.result for run in middle.heard] == [Result.FAIL]


async def test_an_unconfirmed_fail_after_a_pass_counts_for_nothing(middle):
    """Where no confirming attempt was made, a first fail says too little."""
    await fail(middle)
    for result in (Result.PASS, Result.FAIL):
        middle.begin()
        await middle.settle()
        await middle.end_all(result)
    assert middle.ledger.watched == {"a": 0}


async def test_a_fault_of_the_agents_own_costs_this_run_alone(middle):
    """The journey stands as it did, and its next slot runs."""
    await fail(middle)
    middle.begin()
    await middle.settle()
    await middle.end_all(None)
    assert middle.ledger.watched == {"a": 1}
    middle.now += 10
    await middle.offer("a")
    await middle.settle()
    assert middle.walking() == ["a"]
    await middle.end(Result.PASS)
