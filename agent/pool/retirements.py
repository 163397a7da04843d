"""Workers on their way out, and walks whose workers have yet to clean up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from agent.pool.process import WorkerProcess


class Retirements:
    """What goes on behind the walks, and is waited for at the pool's end."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def retire(self, worker: WorkerProcess) -> None:
        """Kill a worker in the background."""
        self.follow_up(worker.kill(), f"retire worker {worker.number}")

    def follow_up(self, work: Coroutine[object, object, None], name: str) -> None:
        """Do in the background what may end in a worker's retirement."""
        task = asyncio.create_task(work, name=name)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def done(self) -> None:
        """Wait until nothing of it is left."""
        while self._under_way:
            # One that waits for its worker to be idle retires it only then.
            await asyncio.gather(*self._under_way, return_exceptions=True)
