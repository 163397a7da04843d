"""A replica's end of a queue in a process of its own, so that it can be killed and stopped.

``python -m tests.support.claimer URL INSTANCE`` claims a slot a line of its input: ``hold`` goes
on saying that it is being run, ``word`` gives it its word and does not let go of it, ``run`` gives
its word once a further line comes. What happened is a line of its output each.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Self

from agent.queue import key_names
from tests.support.replica_queue import ReplicaQueue


async def _main(url: str, instance: str) -> None:
    loop = asyncio.get_running_loop()
    async with ReplicaQueue(url, instance) as replica:
        await replica.settled()
        _say("ready")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
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
