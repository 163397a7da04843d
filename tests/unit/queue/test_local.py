"""The queue of one agent: bounded by what waits, and emptied by a drain."""

from __future__ import annotations

import pytest

from agent.core.model import Slot
from agent.queue.local import LocalQueue
from agent.queue.seam import Answer, Claim, QueuedSlot


def queued(number: int) -> QueuedSlot:
    return QueuedSlot(f"run-{number}", Slot(f"journey_{number}", "eu-west-1", 1000.0 + number))


@pytest.fixture
def queue() -> LocalQueue:
    return LocalQueue(3)


async def fill(queue, count):
    return [await queue.offer(queued(number)) for number in range(count)]


async def test_a_full_queue_refuses_and_takes_again_when_there_is_room(queue):
    """The bound counts what waits, not what is being run."""
    assert await fill(queue, 4) == [Answer.TAKEN] * 3 + [Answer.FULL]
    assert queue.depth == 3
    await queue.claim()
    assert queue.depth == 2
    assert await queue.offer(queued(9)) is Answer.TAKEN
    assert await queue.offer(queued(10)) is Answer.FULL


async def test_a_refused_slot_may_be_offered_again(queue):
    """A refusal leaves nothing behind."""
    await fill(queue, 4)
    await queue.claim()
    assert await queue.offer(queued(3)) is Answer.TAKEN
    assert [one.run_id for one in await queue.drain()] == ["run-1", "run-2", "run-3"]


async def test_a_drain_takes_what_waits_and_not_what_runs(queue):
    """Oldest first; a claimed slot stays its runner's, and later offers still reach one."""
    await fill(queue, 3)
    running = (await queue.claim()).queued
    assert await queue.drain() == [queued(1), queued(2)]
    assert queue.depth == 0
    await queue.done(running.run_id)
    assert await queue.drain() == []
    await queue.offer(queued(7))
    assert await queue.claim() == Claim(queued(7))


async def test_what_is_released_waits_even_where_the_queue_is_full_by_now(queue):
    """A slot that was taken is never refused afterwards."""
    await fill(queue, 3)
    first, second = (await queue.claim()).queued, (await queue.claim()).queued
    assert await queue.offer(queued(3)) is Answer.TAKEN
    assert await queue.offer(queued(4)) is Answer.TAKEN
    await queue.release(second.run_id)
    await queue.release(first.run_id)
    assert queue.depth == 5
    assert [await queue.claim() for _ in range(2)] == [Claim(first), Claim(second)]
