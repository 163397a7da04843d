"""A replica's end of a queue in a process of its own, so that it can be killed and stopped.

``python -m tests.support.claimer URL INSTANCE`` claims a slot a line of its input: ``hold`` goes
on saying that it is being run, ``word`` gives it its word and does not let go of it, ``run`` gives
its word once a further line comes. ``auto`` has it offer and walk slots of a few journeys from
then on, as an agent does. What happened is a line of its output each.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from itertools import count
from typing import Self

from agent.core import ids
from agent.core.model import Slot
from agent.queue import key_names
from agent.queue.seam import Answer, QueuedSlot
from agent.queue.shared import Away
from tests.support.replica_queue import ReplicaQueue


async def _main(url: str, instance: str) -> None:
    loop = asyncio.get_running_loop()
    async with ReplicaQueue(url, instance) as replica:
        await replica.settled()
        _say("ready")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            if line.strip() == "auto":
                await asyncio.gather(_offer(replica), *(_walk(replica) for _ in range(2)))
            claim = await replica.queue.claim()
            run_id, what = claim.queued.run_id, line.strip()
            if what == "word":
                await replica.store.create(key_names.word(run_id), instance.encode())
            async with replica.holding(run_id):
                _say(f"{what} {run_id}")
                if what in {"hold", "run"}:
                    await loop.run_in_executor(None, sys.stdin.readline)
            if what == "run":
                won = await replica.store.create(key_names.word(run_id), instance.encode())
                await replica.queue.done(run_id)
                _say("lost" if won is None else "won")


async def _offer(replica: ReplicaQueue) -> None:
    """Offer each journey's slots as their time comes, four of them a second."""
    begun = int(time.time())
    for number in count():
        at = begun + number / 4
        await asyncio.sleep(max(at - time.time(), 0.0))
        slot = Slot(f"journey_{number % 4}", replica.name, at)
        run_id = ids.run_id(slot)
        answer = await replica.queue.offer(QueuedSlot(run_id, slot))
        if answer is Answer.ELSEWHERE:
            _say(f"offered {run_id}")


async def _walk(replica: ReplicaQueue) -> None:
    """Walk slots for up to a second each, and give each its word."""
    while True:
        claim = await replica.queue.claim()
        run_id = claim.queued.run_id
        what = "worker_lost" if claim.again else "overrun" if claim.overrun else "pass"
        async with replica.holding(run_id):
            if what == "pass":
                await asyncio.sleep(random.random())
            while True:
                try:
                    won = await replica.store.create(key_names.word(run_id), what.encode())
                except Away:
                    await replica.store.until_connected()
                    await asyncio.sleep(0.1)
                else:
                    break
        await replica.queue.done(run_id)
        _say(f"{what if won else 'late'} {run_id}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what it is for


class Claimer:
    """Such a process, from outside."""

    def __init__(self, url: str, instance: str) -> None:
        self._arguments = url, instance

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.claimer",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await self.hear("ready")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def tell(self, line: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def hear(self, line: str) -> str:
        """Wait until it says a line that begins so, and return the rest."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while said := (await self.process.stdout.readline()).decode():
                if said.startswith(line):
                    return said.removeprefix(line).strip()
        raise AssertionError(f"it ended without {line!r}")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
