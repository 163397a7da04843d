"""The local queue: bounded, in order, each slot one claimant's."""

from __future__ import annotations

import asyncio

import pytest

from agent.core import ids
from agent.core.clock import SystemClock
from agent.core.model import Slot
from agent.queue.local import SCHEMA, Claim, LocalQueue
from agent.storage.database import Database


def slot(number: int) -> Slot:
    return Slot(f"journey_{number}", "eu-west-1", 1000.0 + number)


@pytest.fixture
async def database(tmp_path):
    opened = Database(tmp_path / "footfall.db", [SCHEMA], SystemClock())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def queue(database):
    return LocalQueue(database, bound=3)


async def fill(queue, count):
    return [await queue.offer(f"run-{number}", slot(number)) for number in range(count)]


async def test_slots_are_claimed_in_the_order_they_came(queue):
    """First in, first out, whole and under their ids."""
    await fill(queue, 3)
    claims = [await queue.claim() for _ in range(3)]
    assert claims == [Claim(f"run-{number}", slot(number)) for number in range(3)]


async def test_a_full_queue_refuses_and_takes_again_when_there_is_room(queue):
    """The bound counts what waits, not what is being run."""
    assert await fill(queue, 4) == [True, True, True, False]
    assert queue.depth == 3
    await queue.claim()
    assert queue.depth == 2
    assert await queue.offer("run-9", slot(9))
    assert not await queue.offer("run-10", slot(10))


async def test_each_slot_goes_to_one_claimant(queue):
    """More claimants than slots: every slot once, the others go on waiting."""
    claimants = [asyncio.create_task(queue.claim()) for _ in range(5)]
    await asyncio.sleep(0)
    await fill(queue, 3)
    async with asyncio.timeout(5):
        while sum(task.done() for task in claimants) < 3:
            await asyncio.wait(
                [task for task in claimants if not task.done()],
                return_when=asyncio.FIRST_COMPLETED,
            )
    taken = [task.result().run_id for task in claimants if task.done()]
    assert sorted(taken) == ["run-0", "run-1", "run-2"]
    for task in claimants:
        task.cancel()
    await asyncio.gather(*claimants, return_exceptions=True)
    assert queue.depth == 0


async def test_a_waiting_claimant_is_woken(queue):
    """A claim made before anything waits comes back with the next offer."""
    claim = asyncio.create_task(queue.claim())
    await asyncio.sleep(0)
    assert not claim.done()
    await queue.offer("run-0", slot(0))
    async with asyncio.timeout(5):
        assert (await claim).run_id == "run-0"


async def test_a_cancelled_claimant_costs_no_slot(queue):
    """Whoever waits next gets what came."""
    given_up = asyncio.create_task(queue.claim())
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    await queue.offer("run-0", slot(0))
    async with asyncio.timeout(5):
        assert (await queue.claim()).run_id == "run-0"


async def test_the_same_slot_twice_waits_once(queue):
    """An offer that was repeated neither fills the queue nor counts."""
    assert await queue.offer("run-0", slot(0))
    assert await queue.offer("run-0", slot(0))
    assert queue.depth == 1
    assert [claim.run_id for claim in await queue.drain()] == ["run-0"]


async def test_a_drain_takes_what_waits_and_not_what_runs(queue):
    """Oldest first; a claimed slot stays its claimant's, and later offers still reach one."""
    await fill(queue, 3)
    running = await queue.claim()
    assert [claim.run_id for claim in await queue.drain()] == ["run-1", "run-2"]
    assert queue.depth == 0
    await queue.done(running.run_id)
    waiting = asyncio.create_task(queue.claim())
    await queue.offer("run-7", slot(7))
    async with asyncio.timeout(5):
        assert (await waiting).run_id == "run-7"


async def test_what_a_killed_predecessor_queued_is_forgotten(database, queue):
    """``clear`` empties the table, claimed rows included, so that nothing is run twice."""
    await fill(queue, 3)
    await queue.claim()
    successor = LocalQueue(database, bound=3)
    await successor.clear()
    assert await successor.drain() == []
    assert await fill(successor, 4) == [True, True, True, False]


async def test_ids_are_those_of_the_slots(queue):
    """A derived id comes back as it went in."""
    run_id = ids.run_id(slot(1))
    await queue.offer(run_id, slot(1))
    claim = await queue.claim()
    assert claim.run_id == ids.run_id(claim.slot)
