"""What every queue promises, whoever keeps it: in order, each slot one runner's."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from agent.core.model import Slot
from agent.queue.local import LocalQueue
from agent.queue.seam import Answer, Claim, QueuedSlot
from tests.support.nats_server import NatsServer
from tests.support.replica_queue import ReplicaQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.queue.seam import Queue

MOMENT = 0.3
"""Seconds after which what has not come does not come."""


class InMemory:
    """The queue of one agent."""

    taken = Answer.TAKEN

    async def __aenter__(self):
        self.queue = LocalQueue(100)
        return self

    async def __aexit__(self, *_):
        pass

    async def depth(self):
        return self.queue.depth


class OnNats:
    """A replica's end of the queue of a location."""

    taken = Answer.ELSEWHERE

    async def __aenter__(self):
        self._server = await NatsServer().__aenter__()
        self._replica = await ReplicaQueue(self._server.url, location="eu-west-1").__aenter__()
        self.queue = (await self._replica.settled()).queue
        return self

    async def __aexit__(self, *_):
        await self._replica.__aexit__()
        await self._server.__aexit__()

    async def depth(self):
        return await self._replica.depth()


IMPLEMENTATIONS = {"local": InMemory, "nats": OnNats}


START = 0.0
"""When the test began: a slot that is older than some minutes is nobody's to offer."""


@pytest.fixture(autouse=True)
def begun(monkeypatch):
    monkeypatch.setitem(globals(), "START", time.time())


def queued(number: int) -> QueuedSlot:
    return QueuedSlot(f"run-{number}", Slot(f"journey_{number}", "eu-west-1", START + number))


@pytest.fixture(params=IMPLEMENTATIONS)
async def kept(request) -> AsyncIterator[InMemory]:
    async with IMPLEMENTATIONS[request.param]() as made:
        yield made


@pytest.fixture
def queue(kept) -> Queue:
    return kept.queue


async def fill(queue, count):
    return [await queue.offer(queued(number)) for number in range(count)]


async def claim(queue):
    """What is claimed within a moment; None where nothing is."""
    try:
        async with asyncio.timeout(MOMENT):
            return (await queue.claim()).queued
    except TimeoutError:
        return None


async def test_slots_are_claimed_in_the_order_they_came(queue):
    """First in, first out, whole and under their ids."""
    await fill(queue, 3)
    claims = [await queue.claim() for _ in range(3)]
    assert claims == [Claim(queued(number)) for number in range(3)]


async def test_each_slot_goes_to_one_runner(kept, queue):
    """More runners than slots: every slot once, the others go on waiting."""
    runners = [asyncio.create_task(claim(queue)) for _ in range(5)]
    await asyncio.sleep(0)
    await fill(queue, 3)
    taken = [one.run_id for one in await asyncio.gather(*runners) if one is not None]
    assert sorted(taken) == ["run-0", "run-1", "run-2"]
    assert await kept.depth() == 0


async def test_a_waiting_runner_is_woken(queue):
    """A claim made before anything waits comes back with the next offer."""
    waiting = asyncio.create_task(queue.claim())
    await asyncio.sleep(0)
    assert not waiting.done()
    await queue.offer(queued(0))
    async with asyncio.timeout(60):
        assert await waiting == Claim(queued(0))


async def test_a_cancelled_runner_costs_no_slot(queue):
    """Whoever waits next gets what came; also where the slot was on its way to the other."""
    given_up, next_one = (asyncio.create_task(queue.claim()) for _ in range(2))
    await asyncio.sleep(0)
    await queue.offer(queued(0))
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    if not given_up.cancelled():  # it was faster
        await queue.release("run-0")
    async with asyncio.timeout(60):
        assert await next_one == Claim(queued(0))


async def test_the_same_slot_twice_waits_once(kept, queue):
    """An offer that is repeated while its slot waits or is run neither counts nor runs again."""
    assert await queue.offer(queued(0)) is kept.taken
    assert await queue.offer(queued(0)) is kept.taken
    assert await kept.depth() == 1
    await queue.claim()
    assert await queue.offer(queued(0)) is kept.taken
    assert await kept.depth() == 0
    assert await claim(queue) is None


async def test_what_is_released_is_the_next_to_be_claimed(kept, queue):
    """Before what came after it, by whoever waits, and in the order in which it came back."""
    await fill(queue, 3)
    first, second = (await queue.claim()).queued, (await queue.claim()).queued
    assert await queue.offer(queued(3)) is kept.taken
    assert await queue.offer(queued(4)) is kept.taken
    await queue.release(first.run_id)
    await queue.release(second.run_id)
    assert [(await queue.claim()).queued.run_id for _ in range(5)] == [f"run-{n}" for n in range(5)]


async def test_a_release_wakes_a_runner(queue):
    """It need not wait for the next offer."""
    await queue.offer(queued(0))
    await queue.claim()
    waiting = asyncio.create_task(queue.claim())
    await asyncio.sleep(0)
    await queue.release("run-0")
    async with asyncio.timeout(60):
        assert await waiting == Claim(queued(0))


async def test_what_is_done_is_gone(kept, queue):
    """It can't be released any more, nor does it stand in anybody's way."""
    await queue.offer(queued(0))
    await queue.claim()
    await queue.done("run-0")
    await queue.release("run-0")
    assert await kept.depth() == 0
    assert await claim(queue) is None


async def test_only_a_claimed_slot_is_done_extended_or_released(kept, queue):
    """For one that waits, and for one that nobody knows, nothing happens."""
    await queue.offer(queued(0))
    for run_id in ("run-0", "run-9"):
        await queue.done(run_id)
        await queue.extend(run_id)
        await queue.release(run_id)
    assert await kept.depth() == 1
    assert await queue.claim() == Claim(queued(0))


async def test_an_extended_claim_stays_its_runners(queue):
    """Nobody else gets it, however often its runner says that it goes on."""
    assert queue.lease > 0
    await queue.offer(queued(0))
    await queue.claim()
    for _ in range(3):
        await queue.extend("run-0")
    assert await claim(queue) is None
