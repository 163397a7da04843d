"""Slots that several replicas share on a real server: what a queue in memory has no part in."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from agent.core.clock import SystemClock
from agent.core.model import Slot
from agent.queue import key_names, ownership
from agent.queue.nats import streams, upkeep, work_queue
from agent.queue.seam import Answer, Claim, QueuedSlot
from agent.queue.shared import PATIENCE, Away
from tests.support.claimer import Claimer
from tests.support.docs import Page
from tests.support.nats_server import NatsServer
from tests.support.replica_queue import WITHIN, Heard, HeardReplicas, ReplicaQueue
from tests.support.wire_cutter import WireCutter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MOMENT = 0.5
"""Seconds after which what has not come does not come."""


def queued(number: int, at: float | None = None) -> QueuedSlot:
    slot = Slot(f"journey_{number}", "eu-west-1", time.time() if at is None else at)
    return QueuedSlot(f"run-{number}", slot)


@pytest.fixture
async def opened(nats) -> AsyncIterator[Callable[..., object]]:
    """Opens replicas on the server, one after the other."""
    async with AsyncExitStack() as stack:

        async def one(instance="one", url=nats.url, **settings):
            made = ReplicaQueue(url, instance, **settings)
            return await (await stack.enter_async_context(made)).settled()

        yield one


async def claimed(replica) -> Claim:
    async with asyncio.timeout(WITHIN):
        return await replica.queue.claim()


async def nothing(replica) -> bool:
    try:
        async with asyncio.timeout(MOMENT):
            await replica.queue.claim()
    except TimeoutError:
        return True
    return False


async def until(condition):
    async with asyncio.timeout(WITHIN):
        while not await condition():  # noqa: ASYNC110 - a server is asked
            await asyncio.sleep(0.05)


async def test_a_slot_that_all_offer_is_walked_by_one(opened):
    """However many replicas offer it, whenever within ten minutes; each gets slots of them."""
    replicas = [await opened(name) for name in ("one", "two", "three")]
    slots = [queued(number) for number in range(20)]
    answers = await asyncio.gather(*(one.queue.offer(slot) for slot in slots for one in replicas))
    assert set(answers) == {Answer.ELSEWHERE}
    claims = [await claimed(replicas[number % 3]) for number in range(20)]
    assert claims == [Claim(slot) for slot in slots]
    await asyncio.gather(
        *(one.queue.done(claim.queued.run_id) for claim in claims for one in replicas)
    )
    assert await replicas[0].queue.offer(slots[7]) is Answer.ELSEWHERE
    assert all(await asyncio.gather(*(nothing(one) for one in replicas)))


async def test_slots_of_older_journeys_are_offered_by_nobody_but_still_walked(opened):
    """What waits of a bundle goes to its own replicas; offers of one that is behind are none."""
    heard = HeardReplicas(Heard("old", "b1"))
    old = await opened("old", replicas=heard)
    assert await old.queue.offer(queued(1)) is Answer.ELSEWHERE
    heard.all.append(Heard("new", "b2"))
    new = await opened("new", bundle="b2", replicas=heard)

    async def is_behind():
        return old.ownership.behind

    await until(is_behind)
    assert await old.queue.offer(queued(2)) is Answer.ELSEWHERE
    assert await new.queue.offer(queued(3)) is Answer.ELSEWHERE
    assert (await claimed(new)).queued.run_id == "run-3"
    assert (await claimed(old)).queued.run_id == "run-1"
    assert await nothing(old)


async def test_what_replicas_left_that_are_gone_is_walked_by_those_that_own(opened, monkeypatch):
    """Slots of a bundle that nobody announces any more; then its consumers are removed."""
    monkeypatch.setattr(upkeep, "FORGOTTEN", 0.0)
    monkeypatch.setattr(ownership, "FORGOTTEN", 0.0)
    gone = await opened("gone", bundle="b1")
    await gone.queue.offer(queued(1))
    await gone.__aexit__()
    new = await opened("new", bundle="b2")
    await new.upkeep.look()
    claim = await claimed(new)
    assert claim.queued.run_id == "run-1"
    await new.queue.done("run-1")

    async def are_removed():
        await new.upkeep.look()
        found = await streams.consumers(new.location.uplink.session, "eu-west-1")
        return {one["name"] for one in found} == {"b2-browser", "b2-calls"}

    await until(are_removed)


async def test_a_journey_that_is_walked_is_an_overrun_everywhere(opened):
    """Until it is let go of; whoever stops saying that it walks is not taken for walking."""
    one, other = await opened("one"), await opened("two")
    slots = [QueuedSlot(f"run-{number}", Slot("buy", "eu-west-1", time.time())) for number in "123"]
    for slot in slots:
        await one.queue.offer(slot)
    first, second = await claimed(one), await claimed(other)
    assert (first.overrun, second.overrun) == (False, True)
    await one.queue.extend("run-1")
    await other.queue.done("run-2")
    await one.queue.done("run-1")
    assert await claimed(other) == Claim(slots[2])


async def test_a_slot_past_its_life_is_given_to_nobody(opened):
    """Nor is one that is too old to be offered put there: it is the leader's to give a word."""
    one = await opened(lifetime=2.0)
    assert await one.queue.offer(queued(1)) is Answer.ELSEWHERE
    assert await one.queue.offer(queued(2, time.time() - 3)) is Answer.ELSEWHERE
    one.lifetime = 10_000.0
    too_old = time.time() - streams.DUPLICATES
    assert await one.queue.offer(queued(3, too_old)) is Answer.ELSEWHERE
    assert await one.depth() == 1

    async def is_empty():
        return await one.depth() == 0

    await until(is_empty)
    assert await nothing(one)


async def test_a_slot_past_its_deliveries_stays_the_leaders(opened, monkeypatch):
    """What was handed out so often that something must be wrong with it is not any more."""
    monkeypatch.setattr(streams, "MOST_DELIVERIES", 3)
    one = await opened()
    await one.queue.offer(queued(1))
    for _ in range(3):
        await claimed(one)
        await one.queue.release("run-1")
    assert await nothing(one)
    assert await one.store.get(key_names.claim("run-1")) is None


async def test_a_full_stream_refuses_and_takes_again(opened):
    """What waits and what is run counts; a slot that is there already is no refusal."""
    one = await opened(bound=3)
    answers = [await one.queue.offer(queued(number)) for number in range(4)]
    assert answers == [Answer.ELSEWHERE] * 3 + [Answer.FULL]
    assert await one.queue.offer(queued(1)) is Answer.ELSEWHERE
    await claimed(one)
    assert await one.queue.offer(queued(3)) is Answer.FULL
    await one.queue.done("run-0")
    assert await one.queue.offer(queued(3)) is Answer.ELSEWHERE


async def test_a_user_who_may_do_what_the_docs_say_can_do_all_of_it():
    """And who may not is told what the server refused, instead of being heard no more."""
    (block,) = [one for one in Page("docs/operating.md").blocks if one.language == "nats"]
    allowed, heard = re.findall(r"(?:publish|subscribe): (\[.*?\])", block.text, re.DOTALL)
    users = """authorization { users: [
        { user: "agent", password: "x", permissions: { publish: %s, subscribe: %s } }
        { user: "other", password: "x", permissions: { publish: "nothing", subscribe: "_INBOX.>" } }
    ] }"""
    async with NatsServer(users % (allowed, heard)) as server:
        url = server.url.replace("//", "//agent:x@")
        async with ReplicaQueue(url) as one, asyncio.timeout(WITHIN):
            await one.settled()
            told = asyncio.Event()
            one.store.subscribe("pause", lambda _: told.set())
            await one.queue.offer(queued(1))
            await claimed(one)
            await one.queue.extend("run-1")
            await one.queue.release("run-1")
            await claimed(one)
            await one.queue.done("run-1")
            assert await one.store.list("running.") == {}
            assert await one.depth() == 0
            await one.store.publish("pause", b"")
            await told.wait()
            assert await one.store.until_connected() == 1, "it broke meanwhile"
        async with (
            ReplicaQueue(server.url.replace("//", "//other:x@")) as other,
            asyncio.timeout(WITHIN),
        ):
            while "permissions violation" not in other.store.trouble.lower():  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_what_has_its_word_is_given_to_nobody(opened):
    """Another replica may have given it, where the queue was full for it a moment before."""
    one = await opened()
    await one.store.create(key_names.word("run-1"), b"two: capacity")
    await one.queue.offer(queued(1))
    assert await nothing(one)
    assert await one.depth() == 0


async def test_who_drains_leaves_everything_to_the_others(opened):
    """What waits, and what comes while it had already asked for a slot; at once."""
    one, other = await opened("one"), await opened("two")
    waiting = asyncio.create_task(one.queue.claim())
    await asyncio.sleep(0.1)
    assert await one.queue.drain() == []
    for number in range(3):
        await one.queue.offer(queued(number))
    began = time.monotonic()
    claims = [await claimed(other) for _ in range(3)]
    assert sorted(claim.queued.run_id for claim in claims) == ["run-0", "run-1", "run-2"]
    assert not any(claim.again for claim in claims)
    assert time.monotonic() - began < streams.ACK_WAIT
    assert not waiting.done()
    waiting.cancel()


async def test_clocks_that_differ_change_nothing(opened):
    """Five seconds apart, either way: a slot is offered early or late, and walked once."""

    class Off(SystemClock):
        def __init__(self, seconds):
            self.seconds = seconds

        def wall(self):
            return time.time() + self.seconds

    early, late = await opened("one", clock=Off(5)), await opened("two", clock=Off(-5))
    slot = queued(1, time.time() + 5)
    assert await early.queue.offer(slot) is Answer.ELSEWHERE
    assert await claimed(late) == Claim(slot)
    assert await late.queue.offer(slot) is Answer.ELSEWHERE
    await late.queue.done("run-1")
    assert await late.queue.offer(slot) is Answer.ELSEWHERE
    assert await nothing(early)


async def test_a_replica_that_is_killed_or_stopped_costs_each_slot_one_word(nats, opened):
    """Killed under a walk, after its word; stopped for longer than its claims hold.

    A slot whose walk was lost comes to another, who is told so; one that has its word doesn't;
    and whoever comes back after that is too late with its own.
    """
    one = await opened("one")
    async with Claimer(nats.url, "killed") as killed, Claimer(nats.url, "stopped") as stopped:
        for number, what, who in ((1, "word", killed), (2, "hold", killed), (3, "run", stopped)):
            await one.queue.offer(queued(number))
            who.tell(what)
            await who.hear(what)
        assert await nothing(one)
        killed.process.kill()
        stopped.process.send_signal(signal.SIGSTOP)
        claims = [await claimed(one) for _ in range(2)]
        assert {claim.queued.run_id: claim.again for claim in claims} == {
            "run-2": True,
            "run-3": True,
        }
        for claim in claims:
            run_id = claim.queued.run_id
            assert await one.store.create(key_names.word(run_id), b"one") is not None
            await one.queue.done(run_id)
        stopped.process.send_signal(signal.SIGCONT)
        stopped.tell("end")
        await stopped.hear("lost")
    assert await nothing(one)
    assert await one.depth() == 0


async def test_a_claim_that_is_held_on_to_goes_to_nobody_else(opened, monkeypatch):
    """For longer than the server would wait; without that it goes to another, as a second one."""
    monkeypatch.setattr(streams, "ACK_WAIT", 1.0)
    monkeypatch.setattr(work_queue.WorkQueue, "lease", 0.9)
    one, other = await opened("one"), await opened("two")
    await one.queue.offer(queued(1))
    await claimed(one)
    async with one.holding("run-1"):
        async with asyncio.timeout(WITHIN):
            waiting = asyncio.create_task(other.queue.claim())
            await asyncio.wait([waiting], timeout=2.5)
        assert not waiting.done()
    async with asyncio.timeout(WITHIN):
        assert await waiting == Claim(queued(1, waiting.result().queued.slot.scheduled_at), True)


async def test_a_server_that_is_started_again_ten_times_has_all_slots_and_no_more_consumers(
    nats, opened
):
    """Nothing that waits is lost, nobody who waits stays deaf, and nothing piles up."""
    one, other = await opened("one"), await opened("two")
    for number in range(10):
        assert await one.queue.offer(queued(number)) is Answer.ELSEWHERE
        times = await asyncio.gather(*(end.store.until_connected() for end in (one, other)))
        waiting = asyncio.create_task(claimed(other))
        await nats.restart()
        async with asyncio.timeout(WITHIN):
            for end, seen in zip((one, other), times, strict=True):
                await end.store.until_connected(after=seen)
        # It may have been claimed just before, and comes as a second one only to a third.
        claim = await waiting
        assert claim == Claim(queued(number, claim.queued.slot.scheduled_at))
        await other.queue.done(claim.queued.run_id)
    await one.settled()
    found = await streams.consumers(one.location.uplink.session, "eu-west-1")
    assert {end["name"] for end in found} <= {"b1-browser", "b1-calls"}
    await one.queue.offer(queued(99))
    assert (await claimed(one)).queued.run_id == "run-99"


async def test_a_server_that_is_away_holds_nobody_up(nats, opened):
    """Offers say so at once, claims wait, and what had its word meanwhile is gone after it."""
    one = await opened()
    await one.queue.offer(queued(1))
    await one.queue.offer(queued(2))
    await claimed(one)
    await nats.stop()
    with pytest.raises(Away):
        await one.store.get("leader")
    began = time.monotonic()
    for number in range(50):
        assert await one.queue.offer(queued(number)) is Answer.AWAY
    await one.queue.extend("run-1")
    await one.queue.done("run-1")
    assert time.monotonic() - began < PATIENCE
    waiting = asyncio.create_task(claimed(one))
    await nats.start()
    assert (await waiting).queued.run_id == "run-2"
    await one.queue.done("run-2")
    await until(lambda: _is_true(one.store.connected))
    # The server does not know that the first one is over, and offers it again: to nobody.
    assert await nothing(one)


async def test_a_server_that_hangs_holds_nobody_up(nats, opened):
    """The first who asks waits two seconds, the others none, and the loop goes on meanwhile."""
    one = await opened()
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            await asyncio.sleep(0.05)
            beats += 1

    beating = asyncio.create_task(beat())
    waiting = asyncio.create_task(claimed(one))
    await asyncio.sleep(0.1)
    nats.freeze()
    began, before = time.monotonic(), beats
    assert await one.queue.offer(queued(1)) is Answer.AWAY
    first = time.monotonic() - began
    for number in range(50):
        assert await one.queue.offer(queued(number)) is Answer.AWAY
    passed = time.monotonic() - began
    assert passed - first < PATIENCE
    assert beats - before > passed / 0.05 / 4
    assert "no answer" in one.store.trouble
    nats.thaw()
    await one.settled()
    async with asyncio.timeout(WITHIN):
        while await one.queue.offer(queued(60)) is Answer.AWAY:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    # The offer that was not answered may have been heard all the same.
    assert (await waiting).queued.run_id in {"run-1", "run-60"}
    beating.cancel()


async def test_a_replica_that_is_cut_off_leaves_its_slots_to_the_others(nats, opened, monkeypatch):
    """They go on; and when it is back, it hears that the word has been given."""
    monkeypatch.setattr(streams, "ACK_WAIT", 1.0)
    async with WireCutter(nats.port) as wire:
        cut, other = await opened("cut", url=wire.url), await opened("two")
        await cut.queue.offer(queued(1))
        await claimed(cut)
        wire.cut()
        second = await claimed(other)
        assert (second.queued.run_id, second.again) == ("run-1", True)
        assert await other.store.create(key_names.word("run-1"), b"two: worker_lost") is not None
        await other.queue.done("run-1")
        await other.queue.offer(queued(2))
        assert (await claimed(other)).queued.run_id == "run-2"
        await other.queue.done("run-2")
        assert await cut.queue.offer(queued(3)) is Answer.AWAY
        wire.mend()
        await cut.settled()
        assert await cut.store.create(key_names.word("run-1"), b"cut: pass") is None
        await cut.queue.done("run-1")
        await cut.queue.offer(queued(4))
        assert (await claimed(cut)).queued.run_id == "run-4"


async def test_a_replica_that_does_not_keep_up_is_cut_off_and_comes_back(opened):
    """The server ends its connection; it makes another, and claims and hears as before."""
    async with (
        NatsServer('max_payload: 16KB\nmax_pending: 64KB\nwrite_deadline: "1s"') as server,
        WireCutter(server.port) as wire,
    ):
        slow, other = await opened("slow", url=wire.url), await opened("two", url=server.url)
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        slow.store.subscribe("pause", heard.put_nowait)
        times = await slow.store.until_connected()
        await asyncio.sleep(0.1)
        wire.stall()
        async with asyncio.timeout(WITHIN):
            while "Slow Consumer" not in server.log.read_text():
                await other.store.publish("pause", bytes(15_000))
        wire.mend()
        async with asyncio.timeout(WITHIN):
            await slow.store.until_connected(after=times)
        await slow.settled()
        await other.store.publish("pause", b"last")
        async with asyncio.timeout(WITHIN):
            while await heard.get() != b"last":
                pass
        await other.queue.offer(queued(1))
        assert (await claimed(slow)).queued.run_id == "run-1"


async def _is_true(value):
    return value
