"""Three servers for a location, each stream in three copies, as the manual has it."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.core.model import Slot
from agent.queue import key_names
from agent.queue.nats import streams
from agent.queue.seam import Answer, QueuedSlot
from agent.queue.shared import Away
from tests.support.nats_server import NatsCluster
from tests.support.replica_queue import WITHIN, ReplicaQueue

COPIES = 3


def queued(number):
    return QueuedSlot(f"run-{number}", Slot(f"journey_{number}", "eu-west-1", time.time()))


async def with_three_copies(replica) -> None:
    """Give each stream three copies, and wait until all of them have what there is."""
    session = replica.store._uplink.session
    for name in (key_names.stream(replica.name), streams.bucket(replica.name)):
        config = (await session.ask_stream(f"STREAM.INFO.{name}"))["config"]
        await session.ask_stream(f"STREAM.UPDATE.{name}", {**config, "num_replicas": COPIES})
    async with asyncio.timeout(WITHIN):
        while not await _whole(session, replica.name):  # noqa: ASYNC110 - servers are asked
            await asyncio.sleep(0.1)


async def _whole(session, location) -> bool:
    names = key_names.stream(location), streams.bucket(location)
    told = [await session.ask_stream(f"STREAM.INFO.{name}") for name in names]
    told += await streams.consumers(session, location)
    others = [one["cluster"].get("replicas") or [] for one in told]
    return all(len(of) == COPIES - 1 and all(one["current"] for one in of) for of in others)


async def patiently(ask):
    """Ask until the cluster has chosen who answers."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                return await ask()
            except Away:
                await asyncio.sleep(0.1)


async def offered(replica, number) -> None:
    slot = queued(number)
    async with asyncio.timeout(WITHIN):
        while await replica.queue.offer(slot) is not Answer.ELSEWHERE:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


async def walked(replica, under=None) -> str:
    """Claim a slot, give it its word and let go of it; ``under`` happens under the walk."""
    async with asyncio.timeout(WITHIN):
        claim = await replica.queue.claim()
    assert not claim.again
    run_id = claim.queued.run_id
    async with replica.holding(run_id):
        if under is not None:
            await under()
        word = key_names.word(run_id)
        if await patiently(lambda: replica.store.create(word, replica.instance.encode())) is None:
            # It had come to the server that went away before it could say so.
            there = await patiently(lambda: replica.store.get(word))
            assert there.value == replica.instance.encode()
    await replica.queue.done(run_id)
    return run_id


@pytest.mark.slow
async def test_a_cluster_goes_on_through_the_death_of_each_server_that_leads():
    """Each slot is claimed once, no word is lost, and a replica that starts afterwards leaves the
    copies as they are."""
    async with NatsCluster() as cluster, ReplicaQueue(cluster.url, lifetime=300.0) as one:
        await one.settled()
        await with_three_copies(one)
        uplink, asked = one.store._uplink, f"STREAM.INFO.{key_names.stream(one.name)}"
        slots = []
        for number in range(3):
            await offered(one, 2 * number)
            await offered(one, 2 * number + 1)
            info = await patiently(lambda: uplink.session.ask_stream(asked))
            leader = cluster.named(info["cluster"]["leader"])
            slots += [await walked(one, leader.stop), await walked(one)]
            await leader.start()
        async with ReplicaQueue(cluster.url, "two", lifetime=300.0) as two:
            await two.settled()
            assert sorted(slots) == [f"run-{number}" for number in range(6)]
            words = await patiently(lambda: two.store.list(key_names.WORDS))
            assert set(words) == {key_names.word(run_id) for run_id in slots}
            info = await patiently(lambda: two.store._uplink.session.ask_stream(asked))
            assert info["config"]["num_replicas"] == COPIES
