"""Walking what several replicas claim: who walks, who says what, and what is given back."""

from __future__ import annotations

import asyncio
import math

import pytest

from agent.core import ids
from agent.core.model import SkipReason, Slot
from agent.core.results import Result
from agent.queue.seam import Answer, Claim, QueuedSlot
from agent.runs import dispatcher
from agent.runs.dispatcher import Dispatcher
from agent.runs.lanes import Lane, Lanes
from agent.schedule.decision import Offer, Skip
from agent.schedule.timeline import Timeline
from tests.unit.runs.conftest import Walks
from tests.unit.runs.replicated.conftest import AT, JOURNEYS, PLACE, Replica, words_of


class Given:
    """A queue that gives what it is told to, and notes what it hears."""

    lease = math.inf
    depth = 0
    answer = Answer.ELSEWHERE

    def __init__(self):
        self.claims: asyncio.Queue[Claim] = asyncio.Queue()
        self.heard: list[tuple[str, str]] = []

    async def offer(self, queued):
        self.heard.append(("offer", queued.run_id))
        return self.answer

    async def claim(self):
        return await self.claims.get()

    async def extend(self, run_id):
        pass

    async def done(self, run_id):
        self.heard.append(("done", run_id))

    async def release(self, run_id):
        self.heard.append(("release", run_id))

    async def drain(self):
        return []


class Walking(Replica):
    """A replica with the daemon's middle above its books."""

    rerun = False

    async def start(self):
        await super().start()
        self.queue, self.walks, self.reason = Given(), Walks([]), None
        lanes = Lanes(Lane(self.queue, 2), Lane(Given(), 1))
        self.dispatcher = Dispatcher(
            self.walks,
            self.ledger,
            lanes,
            Timeline(self.clock),
            self.clock,
            lambda *_: None,
            lambda *_: self.reason,
            self.rerun,
        )
        self.dispatcher.journeys = JOURNEYS
        self.runners = [
            asyncio.create_task(self.dispatcher.work(lane)) for lane in lanes for _ in range(3)
        ]
        return self

    async def stop(self):
        for runner in self.runners:
            runner.cancel()
        await asyncio.gather(*self.runners, return_exceptions=True)
        await super().stop()

    async def claim(self, slot, **how):
        self.queue.claims.put_nowait(Claim(QueuedSlot(ids.run_id(slot), slot), **how))
        await self.settle()

    async def settle(self):
        for _ in range(300):
            await asyncio.sleep(0)

    async def kill(self):
        """End it with its runs under way, and start it again."""
        self.fuse.left = 0
        await self.stop()
        await self.start()

    async def walked(self, result=Result.PASS):
        for _, told in list(self.walks.under_way.values()):
            told.set_result(result)
        await self.settle()


@pytest.fixture
async def replicas(tmp_path, server, clock, monkeypatch):
    monkeypatch.setattr(dispatcher, "free_memory", lambda: 1 << 40)
    made = [await Walking(tmp_path, server, clock, name).start() for name in "ab"]
    yield made
    for one in made:
        await one.stop()


def slot(number=0, journey="buy"):
    return Slot(journey, PLACE, AT + number)


RUN = ids.run_id(slot())


@pytest.mark.parametrize("answer", [Answer.ELSEWHERE, Answer.AWAY])
async def test_what_is_offered_is_nobodys_until_it_is_claimed(replicas, answer):
    """Whoever claims it walks it; nothing of it holds up a drain of who offered it."""
    a, b = replicas
    a.queue.answer = answer
    await a.dispatcher.carry_out([Offer(slot())])
    assert not a.dispatcher.running
    await b.claim(slot())
    assert (b.dispatcher.running, b.dispatcher.is_busy("buy")) == (1, True)
    await b.walked()
    assert b.queue.heard == [("done", RUN)]
    assert [await one.words() for one in replicas] == [{}, {"pass": 1}]
    await a.dispatcher.drain()
    await b.dispatcher.drain()


async def test_a_second_delivery_is_lost_unless_it_is_to_be_walked_again(replicas):
    """The first runner may have walked it; with ``rerun`` it is walked whatever that did."""
    a, b = replicas
    await a.claim(slot(), again=True)
    assert not a.walks.under_way
    assert await a.words() == {"not_measured": 1}
    assert a.queue.heard == [("done", RUN)]
    b.dispatcher._rerun = True
    await b.claim(slot(1), again=True)
    await b.walked()
    assert await b.words() == {"pass": 1}


async def test_a_journey_that_is_walked_elsewhere_is_not_walked_beside(replicas):
    """Its slot is an overrun; so it is where this replica itself walks it."""
    a, _ = replicas
    await a.claim(slot())
    await a.claim(slot(1), overrun=True)
    assert len(a.walks.under_way) == 1
    assert a.dispatcher.is_busy("buy")
    await a.walked()
    assert await a.words() == {"pass": 1, "overrun": 1}
    assert a.queue.heard == [("done", ids.run_id(slot(1))), ("done", RUN)]


async def test_a_claim_that_comes_back_to_its_runner_is_not_walked_beside_itself(replicas):
    """The server did not hear in time that it goes on; it does."""
    a, _ = replicas
    await a.claim(slot())
    await a.claim(slot(), again=True)
    assert a.queue.heard == []
    await a.walked()
    assert await a.words() == {"pass": 1}
    assert a.queue.heard == [("done", RUN)]


async def test_a_draining_replica_gives_back_what_it_has_not_begun(replicas):
    """Another walks it; what it walks it ends, and what comes due it leaves."""
    a, b = replicas
    await a.claim(slot())
    draining = asyncio.create_task(a.dispatcher.drain())
    await a.settle()
    await a.dispatcher.carry_out([Offer(slot(5)), Skip(slot(5, "browse"), SkipReason.PAUSED)])
    await a.claim(slot(2, "browse"))
    assert a.queue.heard == [("release", ids.run_id(slot(2, "browse")))]
    await a.walked()
    await draining
    await b.claim(slot(2, "browse"))
    await b.walked()
    await a.ledger.settle_all()
    assert [await one.words() for one in replicas] == [{"pass": 1, "paused": 1}, {"pass": 1}]


async def test_what_cannot_be_said_is_given_back_or_waits(replicas):
    """While the store is away nothing is begun, and what is under way ends and waits."""
    a, _ = replicas
    await a.claim(slot())
    a.store.cut()
    await a.claim(slot(1, "browse"))
    assert len(a.walks.under_way) == 1
    assert a.queue.heard == [("release", ids.run_id(slot(1, "browse")))]
    await a.walked(Result.FAIL)
    assert not a.dispatcher.running
    assert await a.words() == {}
    a.store.mend()
    await a.ledger.settle_all()
    assert await a.words() == {"fail": 1}


async def test_what_a_kill_broke_off_is_lost_at_the_next_start(replicas):
    """Unless another has given it a word, or walks it again."""
    a, b = replicas
    for number in range(2):
        await a.claim(slot(number, ("buy", "browse")[number]))
    await a.kill()
    await b.claim(slot(), again=True)
    await a.dispatcher.end_unfinished()
    assert [await one.words() for one in replicas] == [{"not_measured": 1}] * 2
    await a.dispatcher.end_unfinished()
    assert await words_of(replicas) == {"not_measured": 2}
