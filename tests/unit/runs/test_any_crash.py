"""Queue, books and dispatch through any fate: each slot ends in one word, and runs at most once."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.core.model import SkipReason
from agent.core.results import Result
from agent.queue.local import LocalQueue
from agent.queue.seam import Answer
from agent.runs import dispatcher
from agent.runs.dispatcher import Dispatcher
from agent.runs.lanes import Lane, Lanes
from agent.runs.ledger import Ledger
from agent.schedule import slots
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from agent.storage.database import Database
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.telemetry import Telemetry
from tests.support.clock import ManualClock
from tests.support.fuzz import effort
from tests.support.slot_counts import count_slots
from tests.unit.runs.conftest import JOURNEYS, REST, SCHEMAS, Walks

BOUND = 2
WORKERS = 2
RUNNERS = 4


class Killed(BaseException):
    """The process ends here."""


class MortalDatabase(Database):
    """A database whose process may be killed before or after any of its commits.

    It works on the loop's own thread, so that a fate comes to the same end each time.
    """

    left: int | None = None
    """Commits until the kill; None: it isn't near."""

    async def transaction(self, work):
        if self.left == 0:
            raise Killed
        value = await super().transaction(work)
        if self.left is not None:
            self.left -= 1
        return value

    async def _submit(self, work):
        await asyncio.sleep(0)
        return work()


class WatchedQueue(LocalQueue):
    """A queue of which the order is known, and which leaves some slots to another replica."""

    def __init__(self, bound, elsewhere):
        super().__init__(bound)
        self.elsewhere = elsewhere
        self.offered: list[str] = []
        self.claimed: list[str] = []

    async def offer(self, queued):
        if queued.slot.journey in self.elsewhere:
            return Answer.ELSEWHERE
        answer = await super().offer(queued)
        if answer is Answer.TAKEN:
            self.offered.append(queued.run_id)
        return answer

    async def claim(self):
        taken = await super().claim()
        self.claimed.append(taken.queued.run_id)
        return taken


class Agent(RuleBasedStateMachine):
    """The daemon's middle on a real file, killed and started again."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="footfall-"))
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.begun: list[str] = []
        self.elsewhere: set[str] = set()
        self.paused: dict[str, SkipReason] = {}
        self.real_memory, dispatcher.free_memory = dispatcher.free_memory, lambda: 1 << 40
        self.logs = structlog.testing.capture_logs()
        self.logs.__enter__()

    def teardown(self):
        try:
            self.run(self._drain())
            self.run(self._vanish())
        finally:
            self.logs.__exit__(None, None, None)
            dispatcher.free_memory = self.real_memory
            self.loop.close()
            shutil.rmtree(self.folder)

    def run(self, work):
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self):
        self.run(self._start())

    @rule(passed=st.sampled_from([0.5, 3.0, 7.0, 11.0, 400.0]))
    def tick(self, passed):
        self.clock.advance(passed)
        self.run(self._tick())

    @rule(journeys=st.sets(st.sampled_from([journey.name for journey in JOURNEYS]), max_size=2))
    def another_replica_has(self, journeys):
        """From now on slots of these journeys are its."""
        self.elsewhere.clear()
        self.elsewhere.update(journeys)

    @rule(
        paused=st.dictionaries(
            st.sampled_from([journey.name for journey in JOURNEYS]),
            st.sampled_from([SkipReason.PAUSED, SkipReason.MAINTENANCE]),
        )
    )
    def a_pause_begins_or_ends(self, paused):
        """From now on these journeys are not to be walked, over a restart too."""
        self.paused = paused

    @precondition(lambda self: self.walks.under_way)
    @rule(which=st.integers(0, 9), result=st.none() | st.sampled_from(Result))
    def end_a_run(self, which, result):
        self._tell(which, result)
        self.run(self._settle())

    @precondition(lambda self: self.walks.under_way)
    @rule(which=st.integers(0, 9))
    def a_run_rests(self, which):
        self._tell(which, REST)
        self.run(self._settle())

    @precondition(lambda self: self.walks.resting)
    @rule(which=st.integers(0, 9))
    def a_rest_ends(self, which):
        self._wake(which)
        self.run(self._settle())

    @rule(
        left=st.integers(0, 6),
        passed=st.sampled_from([3.0, 11.0, 400.0]),
        result=st.none() | st.sampled_from(Result),
        down=st.sampled_from([0.0, 5.0, 100.0]),
    )
    def kill_at_a_commit(self, left, passed, result, down):
        """A tick and the end of a run go on at once, and die at one commit or another."""
        self.clock.advance(passed)
        self.database.left = left
        if self.walks.under_way:
            self._tell(0, result)
        with suppress(Killed):
            self.run(self._tick())
        self.run(self._vanish())
        self.clock.advance(down)
        self.run(self._start())

    @rule()
    def drain_and_start(self):
        self.run(self._drain())
        self.run(self._vanish())
        self.run(self._start())

    @invariant()
    def every_slot_has_one_place(self):
        self.run(self._check())

    # Small parts.

    async def _start(self):
        self.database = database = MortalDatabase(self.folder / "f.db", SCHEMAS, self.clock)
        await database.open()
        # A kill takes nothing from what the system holds already, so no disk is waited for.
        database._connection.execute("PRAGMA synchronous=OFF")
        sent = Telemetry(
            database,
            resolve({}, endpoint="http://127.0.0.1:1"),
            ResourceInfo("1", "agent-1", "test", "eu"),
            self.clock,
            Bounds(10**8, 86_400.0),
        )
        books = Ledger(database, sent, "eu")
        self.queue = WatchedQueue(BOUND, self.elsewhere)
        self.timeline = Timeline(self.clock, await books.decided_until())
        self.walks = Walks(self.begun)
        self.dispatcher = Dispatcher(
            self.walks,
            books,
            Lanes(Lane(self.queue, WORKERS), Lane(LocalQueue(BOUND), WORKERS)),
            self.timeline,
            self.clock,
            lambda *_: None,
            lambda journey, _: self.paused.get(journey.name),
        )
        self.dispatcher.journeys = {journey.name: journey for journey in JOURNEYS}
        await books.register_sites({journey.name: "shop" for journey in JOURNEYS})
        await self.dispatcher.end_unfinished()
        assert await books.unfinished() == []
        self.ticker = Ticker("eu")
        self.ticker.load(JOURNEYS, await books.last_decided(), self.timeline.now())
        await books.note_ticking(self.ticker.decided())
        self.starting = True
        lane = self.dispatcher.lanes.browsers
        self.runners = [asyncio.create_task(self.dispatcher.work(lane)) for _ in range(RUNNERS)]
        await self._settle()

    async def _tick(self):
        now, obstacle = self.timeline.now(), self.dispatcher.obstacle
        await self.dispatcher.carry_out(self.ticker.due(now, obstacle, starting=self.starting))
        self.starting = False
        await self._settle()

    async def _settle(self):
        """Let everybody go on until all wait for something to happen."""
        for _ in range(60):
            await asyncio.sleep(0)
        for task in self.runners:
            if task.done():
                task.result()

    def _tell(self, which, result):
        _, told = list(self.walks.under_way.values())[which % len(self.walks.under_way)]
        if not told.done():
            told.set_result(result)

    def _wake(self, which):
        woken = list(self.walks.resting.values())[which % len(self.walks.resting)]
        if not woken.done():
            woken.set_result(None)

    async def _drain(self):
        draining = asyncio.create_task(self.dispatcher.drain())
        while not draining.done():
            for _ in list(self.walks.under_way):
                self._tell(0, Result.PASS)
            for number in range(len(self.walks.resting)):
                self._wake(number)
            await self._settle()
        await draining
        assert self.dispatcher.running == 0

    async def _vanish(self):
        """End without another commit."""
        self.database.left = 0
        for task in self.runners:
            task.cancel()
        await asyncio.gather(*self.runners, return_exceptions=True)
        await self.database.close()

    async def _check(self):
        def read(connection):
            ended = dict(connection.execute("SELECT run_id, result FROM runs").fetchall())
            return ended, count_slots(connection, "eu"), slots.unfinished(connection, "eu")

        ended, counts, unfinished = await self.database.transaction(read)
        waiting = [left.run_id for left in unfinished if not left.running]
        claimed = self.queue.claimed
        assert claimed == self.queue.offered[: len(claimed)], "first in, first out"
        walking, resting = set(self.walks.under_way), set(self.walks.resting)
        # One may be claimed for a place that a run took again when its rest was over.
        assert len(waiting) - self.queue.depth in {0, 1}
        assert self.queue.depth <= BOUND
        assert {left.run_id for left in unfinished if left.running} == walking | resting
        assert self.dispatcher.running == len(unfinished)
        assert len(walking) <= WORKERS
        assert len(walking) == WORKERS or not waiting or len(walking | resting) == RUNNERS
        back = [run_id for run_id, woken in self.walks.resting.items() if woken.done()]
        assert len(walking) == WORKERS or not back, "returns at once where there is room"
        assert len(set(self.begun)) == len(self.begun), "walked twice"
        assert {ended[run_id] for run_id in set(ended) - set(self.begun)} <= {"not_measured"}
        for one in counts.values():
            done = sum(one.results.values()) + sum(one.skips.values())
            assert one.expected == done + one.in_flight
            assert one.in_flight <= 1
        assert sum(sum(one.results.values()) for one in counts.values()) == len(ended)


TestAgent = Agent.TestCase
TestAgent.settings = effort(25, stateful_step_count=20)
