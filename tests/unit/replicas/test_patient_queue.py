"""A queue that is away for a moment costs no slot that may still be walked."""

from __future__ import annotations

from agent.core.model import Slot
from agent.queue.local import LocalQueue
from agent.queue.seam import Answer, QueuedSlot
from agent.replicas.patient_queue import PatientQueue


class Flaky(LocalQueue):
    away = True

    async def offer(self, queued):
        return Answer.AWAY if self.away else await super().offer(queued)


def queued(number):
    return QueuedSlot(f"run-{number}", Slot("buy", "eu", 100.0 + number))


async def test_what_could_not_be_offered_is_once_the_queue_is_back(clock):
    """In its order, once, and not what may not be walked any more."""
    inner = Flaky(10)
    late = {"run-1"}
    queue = PatientQueue(inner, clock, lambda one: one.run_id not in late)
    for number in range(3):
        assert await queue.offer(queued(number)) is Answer.AWAY
    await queue.offer_again()
    assert queue.depth == 0
    inner.away = False
    await queue.offer_again()
    await queue.offer_again()
    assert [(await queue.claim()).queued.run_id for _ in range(queue.depth)] == ["run-0", "run-2"]


async def test_who_drains_offers_no_more(clock):
    """Others do."""
    inner = Flaky(10)
    queue = PatientQueue(inner, clock, lambda _: True)
    await queue.offer(queued(0))
    inner.away = False
    assert await queue.drain() == []
    await queue.offer_again()
    assert queue.depth == 0
