"""Replicas and server that die, hang and come back at random: the long form."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter

import pytest

from agent.queue import key_names
from tests.support.claimer import Claimer
from tests.support.replica_queue import ReplicaQueue

LASTS = 90.0
"""Seconds for which anything may happen."""


class Fleet:
    """Three replicas, each started again when it was killed, and what they have said."""

    def __init__(self, url):
        self._url = url
        self.offered: set[str] = set()
        self.words: Counter[str] = Counter()
        self.all: list[Claimer] = []
        self._hearing: list[asyncio.Task[None]] = []

    async def start(self):
        one = await Claimer(self._url, f"replica-{random.random()}").__aenter__()
        one.tell("auto")
        self.all.append(one)
        self._hearing.append(asyncio.create_task(self._hear(one)))

    async def _hear(self, one):
        while line := (await one.process.stdout.readline()).decode().split():
            if line[0] == "offered":
                self.offered.add(line[1])
            elif line[0] != "late" and len(line) == 2:
                self.words[line[1]] += 1

    async def end(self, one, how):
        one.process.send_signal(how)
        await one.process.wait()
        self.all.remove(one)

    async def stop(self):
        for one in list(self.all):
            one.process.send_signal(signal.SIGCONT)
            await self.end(one, signal.SIGKILL)
        await asyncio.gather(*self._hearing)


async def befall(fleet, nats):
    """Let one thing happen."""
    one = random.choice(fleet.all)
    match random.choice(["kill", "kill", "stop", "restart", "away", "hang"]):
        case "kill":
            await fleet.end(one, signal.SIGKILL)
            await fleet.start()
        case "stop":
            one.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(random.choice([2, 13]))
            one.process.send_signal(signal.SIGCONT)
        case "restart":
            await nats.restart(random.choice([signal.SIGKILL, signal.SIGTERM]))
        case "away":
            await nats.stop()
            await asyncio.sleep(random.random() * 5)
            await nats.start()
        case "hang":
            nats.freeze()
            await asyncio.sleep(random.random() * 5)
            nats.thaw()


@pytest.mark.slow
@pytest.mark.timeout(280)
async def test_whatever_dies_each_slot_that_was_offered_gets_one_word(nats):
    """Soon after everything stands again, and nobody is handed it any more."""
    fleet = Fleet(nats.url)
    try:
        for _ in range(3):
            await fleet.start()
        until = time.monotonic() + LASTS
        while time.monotonic() < until:
            await asyncio.sleep(random.random() * 3)
            await befall(fleet, nats)
        async with ReplicaQueue(nats.url, "looking") as looking:
            await looking.settled()
            offered = set(fleet.offered)
            assert len(offered) > 4 * LASTS / 3
            missing = offered
            async with asyncio.timeout(90):
                while missing:
                    await asyncio.sleep(1)
                    words = await looking.store.list(key_names.WORDS)
                    missing = {one for one in missing if key_names.word(one) not in words}
            kinds = Counter(entry.value.decode() for entry in words.values())
            print(len(offered), dict(kinds))  # noqa: T201 - what came of it, where it is looked for
    finally:
        await fleet.stop()
    assert all(count == 1 for count in fleet.words.values())
    assert kinds["pass"] > len(offered) / 3
