"""From an offer to its one word: what is asked of the queue, and what is written down when."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from agent.core import ids
from agent.core.model import SkipReason, Slot
from agent.core.results import Attempt, Result
from agent.queue.local import LocalQueue
from agent.queue.seam import Answer
from agent.runs import dispatcher
from agent.runs.dispatcher import Dispatcher
from agent.runs.lanes import Lane, Lanes
from agent.runs.ledger import Ledger
from agent.schedule.decision import Offer
from agent.schedule.timeline import Timeline
from agent.storage.database import Database
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.telemetry import Telemetry
from tests.support.clock import ManualClock
from tests.support.slot_counts import count_slots
from tests.unit.runs.conftest import JOURNEYS, REST, SCHEMAS, Walks


class CountingDatabase(Database):
    """Counts its commits, and refuses as many as it is told to; on the loop's own thread."""

    commits = 0
    refusals = 0

    async def _submit(self, work):
        await asyncio.sleep(0)
        return work()

    def _transact(self, work):
        if self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        value = super()._transact(work)
        self.commits += 1
        return value


class SharedQueue(LocalQueue):
    """Answers as it is told, and notes what it hears; claims lapse."""

    lease = 30.0
    answer: Answer | None = None

    def __init__(self):
        super().__init__(1)
        self.heard: list[tuple[str, str]] = []

    async def offer(self, queued):
        return self.answer or await super().offer(queued)

    async def extend(self, run_id):
        self.heard.append(("extend", run_id))

    async def done(self, run_id):
        self.heard.append(("done", run_id))
        await super().done(run_id)

    async def release(self, run_id):
        self.heard.append(("release", run_id))
        await super().release(run_id)


class Middle:
    """The daemon's middle on a real file, with one worker and as many runners as are wanted."""

    def __init__(self, database, queue, clock, runners=1):
        self.database = database
        self.clock = clock
        self.queue = queue
        self.walks = Walks([])
        self.sent = sent = Telemetry(
            database,
            resolve({}, endpoint="http://127.0.0.1:1"),
            ResourceInfo("1", "agent-1", "test", "eu"),
            clock,
            Bounds(10**8, 86_400.0),
        )
        ledger = Ledger(database, sent, "eu")
        timeline = Timeline(clock)
        self.now = timeline.now()
        self.late = []
        """By how many seconds each run started late."""
        self.suspended = {}
        """Why journeys are not to be walked now."""

        def on_late(_, seconds):
            self.late.append(seconds)

        def suspended(journey, _):
            return self.suspended.get(journey.name)

        self.calls = LocalQueue(8)
        lanes = Lanes(Lane(queue, 1), Lane(self.calls, 1))
        self.dispatcher = Dispatcher(self.walks, ledger, lanes, timeline, clock, on_late, suspended)
        self.dispatcher.journeys = {journey.name: journey for journey in JOURNEYS}
        self.runners = [
            asyncio.create_task(self.dispatcher.work(lane))
            for lane in lanes
            for _ in range(runners)
        ]

    def slot(self, journey="a"):
        return Slot(journey, "eu", self.now)

    async def offer(self, *journeys):
        await self.dispatcher.carry_out([Offer(self.slot(name)) for name in journeys])

    async def settle(self):
        """Let everybody go on until all wait for something to happen."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def end(self, result=Result.PASS):
        await self.tell(result)
        assert not self.dispatcher.running

    async def tell(self, result):
        """Have the one walk under way come to this."""
        ((_, told),) = self.walks.under_way.values()
        told.set_result(result)
        await self.settle()

    async def wake(self, journey):
        """End the rest of a journey's run."""
        self.walks.resting[ids.run_id(self.slot(journey))].set_result(None)
        await self.settle()

    def walking(self):
        return [request.journey.name for request, _ in self.walks.under_way.values()]

    async def stop(self):
        for runner in self.runners:
            runner.cancel()
        await asyncio.gather(*self.runners, return_exceptions=True)

    async def states(self):
        return await self.database.transaction(
            lambda c: {
                row["journey"]: (row["state"], row["result"] or row["reason"])
                for row in c.execute("SELECT * FROM slots")
            }
        )


@pytest.fixture
def clock():
    return ManualClock(1_700_000_000.0)


@pytest.fixture
async def database(tmp_path, clock):
    opened = CountingDatabase(tmp_path / "footfall.db", SCHEMAS, clock)
    await opened.open()
    opened.commits = 0
    yield opened
    await opened.close()


@pytest.fixture
async def middle(database, clock, monkeypatch):
    monkeypatch.setattr(dispatcher, "free_memory", lambda: 1 << 40)
    made = Middle(database, SharedQueue(), clock)
    yield made
    await made.stop()


@pytest.fixture
async def shared(database, clock, monkeypatch):
    """One worker, and three runners that share it."""
    monkeypatch.setattr(dispatcher, "free_memory", lambda: 1 << 40)
    made = Middle(database, LocalQueue(8), clock, runners=3)
    yield made
    await made.stop()


async def test_a_slot_costs_three_commits(middle, database):
    """Offered, started, ended; whatever the queue does of it costs no other."""
    await middle.offer("a")
    await middle.settle()
    await middle.end()
    assert database.commits == 3
    assert await middle.states() == {"a": ("done", "pass")}


async def test_walks_without_a_browser_wait_for_none(shared, monkeypatch):
    """Their places are their own: neither kind waits for the other, nor for a browser's memory."""
    calls = {name: replace(shared.dispatcher.journeys[name], browser=False) for name in "bc"}
    shared.dispatcher.journeys |= calls
    await shared.offer("a", "b", "c")
    await shared.settle()
    assert sorted(shared.walking()) == ["a", "b"]
    assert [lane.queue.depth for lane in shared.dispatcher.lanes] == [0, 1]
    monkeypatch.setattr(dispatcher, "free_memory", lambda: 0)
    for _, told in list(shared.walks.under_way.values()):
        told.set_result(Result.PASS)
    await shared.settle()
    assert shared.walking() == ["c"]
    await shared.end()
    assert {name: word for name, (_, word) in (await shared.states()).items()} == {
        "a": "pass",
        "b": "pass",
        "c": "pass",
    }


async def test_a_slot_without_room_costs_one(middle, database):
    """What the queue refuses is decided in the tick's own commit."""
    await middle.offer("a", "b", "c")
    assert database.commits == 1
    assert await middle.states() == {
        "a": ("offered", None),
        "b": ("skipped", "capacity"),
        "c": ("skipped", "capacity"),
    }


async def test_what_another_replica_has_is_not_run_here(middle, database):
    """It is decided, is no business of the runners, and holds up no drain."""
    middle.queue.answer = Answer.ELSEWHERE
    await middle.offer("a", "b")
    assert database.commits == 1
    assert not middle.dispatcher.running
    await middle.dispatcher.drain()
    assert await middle.states() == {"a": ("elsewhere", None), "b": ("elsewhere", None)}
    counts = await database.transaction(lambda c: count_slots(c, "eu"))
    assert not any(one.expected for one in counts.values())


async def test_no_slot_is_run_before_it_is_written_down(middle, database):
    """A runner that has claimed one waits while the disk refuses, so that its start isn't lost."""
    database.refusals = 3
    await middle.offer("a")
    await middle.settle()
    await middle.end()
    assert await middle.states() == {"a": ("done", "pass")}


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_drain_while_slots_are_written_down_forgets_none(middle, database, claimed):
    """Each has its word when the drain is through, and none is begun by then."""
    if not claimed:
        await middle.stop()
    database.refusals = 3
    async with asyncio.timeout(5):
        await asyncio.gather(middle.offer("a"), middle.dispatcher.drain())
    assert await middle.states() == {"a": ("skipped", SkipReason.SHUTDOWN)}


async def test_a_claim_is_extended_as_long_as_its_run_lasts(middle):
    """Several times within its lease, and not once it is done."""
    await middle.offer("a")
    await middle.settle()
    assert len(middle.queue.heard) > 3
    await middle.end()
    run_id = ids.run_id(middle.slot())
    *extended, last = middle.queue.heard
    assert set(extended) == {("extend", run_id)}
    assert last == ("done", run_id)
    await middle.settle()
    assert middle.queue.heard[-1] == last


async def test_a_runner_that_is_stopped_before_it_started_gives_the_slot_back(middle, database):
    """Another may have it; the books still have it on offer."""
    database.refusals = 1000
    offering = asyncio.create_task(middle.offer("a"))
    await middle.settle()
    assert middle.queue.depth == 0, "claimed"
    await middle.stop()
    assert middle.queue.heard == [("release", ids.run_id(middle.slot()))]
    assert middle.queue.depth == 1
    database.refusals = 0
    await offering
    assert await middle.states() == {"a": ("offered", None)}


async def test_a_run_that_is_cut_short_has_its_word(middle):
    """It is not_measured, and not given back."""
    await middle.offer("a")
    await middle.settle()
    await middle.stop()
    assert await middle.states() == {"a": ("done", "not_measured")}
    assert "release" not in dict(middle.queue.heard)


async def test_while_a_run_rests_others_walk(shared):
    """A worker isn't kept idle by a failure that is to be confirmed later."""
    await shared.offer("a", "b", "c")
    await shared.settle()
    assert shared.walking() == ["a"], "one at a time"
    assert shared.queue.depth == 2, "nothing is claimed that can't be walked"
    await shared.tell(REST)
    assert shared.walking() == ["b"]
    await shared.tell(REST)
    assert shared.walking() == ["c"]


async def test_who_returns_from_a_rest_comes_before_who_is_new(shared):
    """It waits for the walk under way, no longer, and is walked on, not anew."""
    await shared.offer("a", "b", "c")
    await shared.settle()
    await shared.tell(REST)
    await shared.wake("a")
    assert shared.walking() == ["b"], "not two in one worker"
    await shared.tell(Result.PASS)
    assert shared.walking() == ["a"]
    await shared.tell(Result.FAIL)
    assert shared.walking() == ["c"]
    await shared.end()
    assert len(shared.walks.begun) == 3
    assert await shared.states() == {
        "a": ("done", "fail"),
        "b": ("done", "pass"),
        "c": ("done", "pass"),
    }


async def test_who_returns_comes_before_who_has_claimed_a_slot_already(shared):
    """A claim makes nobody older than a run that is half done."""
    await shared.offer("a", "b")
    await shared.settle()
    await shared.tell(REST)
    await shared.tell(REST)
    await shared.wake("a")
    await shared.offer("c")
    await shared.settle()
    assert shared.queue.depth == 0, "claimed"
    await shared.wake("b")
    await shared.tell(Result.PASS)
    assert shared.walking() == ["b"]
    await shared.tell(Result.PASS)
    assert shared.walking() == ["c"]


async def test_who_rests_has_a_place_again_where_nobody_walks(shared):
    """A runner that waits for a slot takes none; one that comes then is too late for it."""
    await shared.offer("a")
    await shared.settle()
    await shared.tell(REST)
    await shared.wake("a")
    assert shared.walking() == ["a"]
    await shared.offer("b")
    await shared.settle()
    assert shared.walking() == ["a"]
    await shared.tell(Result.FAIL)
    assert shared.walking() == ["b"]


async def test_whether_a_slot_is_too_late_is_judged_when_there_is_a_place(shared, clock):
    """One that was claimed in time and waited for too long is skipped, and the next comes on."""
    await shared.offer("a")
    await shared.settle()
    await shared.tell(REST)
    await shared.wake("a")
    await shared.offer("b")
    await shared.settle()
    assert shared.queue.depth == 0, "claimed"
    clock.advance(3600.0)
    await shared.end()
    assert await shared.states() == {"a": ("done", "pass"), "b": ("skipped", "capacity")}


async def test_a_drain_waits_for_who_rests_and_begins_nobody(shared):
    """What was claimed and has no place yet is skipped like what waits."""
    await shared.offer("a")
    await shared.settle()
    await shared.tell(REST)
    await shared.wake("a")
    await shared.offer("b", "c")
    await shared.settle()
    draining = asyncio.create_task(shared.dispatcher.drain())
    await shared.settle()
    assert not draining.done()
    await shared.tell(Result.FAIL)
    async with asyncio.timeout(5):
        await draining
    assert await shared.states() == {
        "a": ("done", "fail"),
        "b": ("skipped", "shutdown"),
        "c": ("skipped", "shutdown"),
    }


@pytest.mark.parametrize("woken", [False, True])
async def test_a_run_that_is_cut_short_in_its_rest_has_its_word(shared, woken):
    """Whether it rests or waits for a place; another keeps the place that it has."""
    await shared.offer("a", "b")
    await shared.settle()
    await shared.tell(REST)
    if woken:
        await shared.wake("a")
    assert shared.walking() == ["b"]
    await shared.stop()
    assert await shared.states() == {
        "a": ("done", "not_measured"),
        "b": ("done", "not_measured"),
    }


@pytest.mark.parametrize("step", [-86_400.0, -60.0, 0.0, 60.0, 3600.0])
async def test_a_clock_that_is_set_under_a_run_makes_it_neither_early_nor_late(middle, clock, step):
    """It was claimed 2 s after its slot and took 3 s in all: that is what lateness lies between."""
    await middle.offer("a")
    clock.advance(2.0)
    began = clock.wall()
    await middle.settle()
    clock.step(step)
    middle.walks.span = began, began + 3.0
    middle.walks.attempts = (Attempt(1, Result.PASS, "0b" * 8, began + step + 0.5, 2.0),)
    clock.advance(3.0)
    await middle.end()
    (late,) = middle.late
    assert 2.0 <= late <= 5.0
    assert step or late == 2.5


async def test_after_the_clock_was_set_back_slots_are_told_by_it(middle, clock):
    """A slot's time is never later than its run's start, and its id is still its own."""
    clock.step(-3600.0)
    clock.advance(0.5)
    slot, now = middle.slot(), clock.wall()
    await middle.offer("a")
    await middle.settle()
    ((request, _),) = middle.walks.under_way.values()
    assert request.run_id == ids.run_id(slot)
    assert now - 1.0 <= request.scheduled_at <= now


@pytest.mark.parametrize("reason", [SkipReason.PAUSED, SkipReason.MAINTENANCE])
async def test_what_waits_is_skipped_when_it_is_paused(middle, database, reason):
    """A slot that waits for a worker as a pause or a window begins is not walked any more, the
    walk under way ends as usual, and the books balance."""
    await middle.offer("a")
    await middle.settle()
    middle.suspended.update(a=reason)
    assert middle.walking() == ["a"]
    assert middle.dispatcher.obstacle(JOURNEYS[0]) is reason
    await middle.end()
    assert await middle.states() == {"a": ("done", "pass")}


@pytest.mark.parametrize("reason", [SkipReason.PAUSED, SkipReason.MAINTENANCE])
async def test_a_slot_that_waits_under_a_pause_gets_its_word(middle, database, reason):
    """It is skipped for the pause's reason the moment a runner has it."""
    middle.suspended.update(a=reason)
    await middle.offer("a")
    await middle.settle()
    assert await middle.states() == {"a": ("skipped", reason)}
    assert not middle.dispatcher.running
    counts = await database.transaction(lambda c: count_slots(c, "eu"))
    assert all(one.expected == sum(one.skips.values()) for one in counts.values())


async def test_who_stops_runs_misses_none_that_begins(middle, database):
    """A run that is admitted while the disk refuses is under way already for who stops all."""
    database.refusals = 3
    await middle.offer("a")
    for _ in range(3):
        await asyncio.sleep(0)
    await middle.settle()
    assert middle.walks.stops.ask(None, "so") == ["a"]
    await middle.end()
    assert middle.walks.stops.under_way == []


async def test_busy_is_an_overrun_and_paused_wins(middle):
    """Why the next slot can't run: the pause, where there is one, else the walk under way."""
    await middle.offer("a")
    await middle.settle()
    assert middle.dispatcher.obstacle(JOURNEYS[0]) is SkipReason.OVERRUN
    assert middle.dispatcher.obstacle(JOURNEYS[1]) is None
    middle.suspended.update(a=SkipReason.PAUSED)
    assert middle.dispatcher.obstacle(JOURNEYS[0]) is SkipReason.PAUSED
    await middle.end()
