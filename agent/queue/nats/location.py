"""A location's server, opened: its store, and the queues of its lanes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from agent.queue.nats import streams
from agent.queue.nats.key_values import KeyValues
from agent.queue.nats.upkeep import Upkeep
from agent.queue.nats.uplink import Uplink
from agent.queue.nats.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from agent.core.clock import Clock
    from agent.queue.nats.endpoint import Endpoint
    from agent.queue.ownership import Ownership

LANES = ("browser", "calls")
"""Walks in browsers, and those without: slots of either don't wait for the other's workers."""
MOST_WAITING = 10_000
"""Slots of a location that wait or are run, at most: the same for all of its replicas."""


class Location:
    """What the replicas of one location share. It may be away from the first moment on."""

    def __init__(self, uplink: Uplink, name: str) -> None:
        self.uplink = uplink
        self.name = name
        self.store = KeyValues(uplink, name)

    @asynccontextmanager
    async def queues(
        self,
        ownership: Ownership,
        instance: str,
        lifetime: Callable[[str], float],
        clock: Clock,
        lanes: Sequence[str] = LANES,
    ) -> AsyncIterator[list[WorkQueue]]:
        """Have a queue for each lane, and look after what the server keeps for them.

        ``lifetime`` gives the seconds after its time until which a journey's slot is any use.
        """
        queues = [
            WorkQueue(self.uplink, self.store, ownership, lane, instance, lifetime, clock)
            for lane in lanes
        ]
        upkeep = Upkeep(self.uplink, self.name, queues, ownership, clock)
        keeping = [asyncio.create_task(one.run()) for one in (ownership, upkeep)]
        try:
            yield queues
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)


@asynccontextmanager
async def opened(
    endpoint: Endpoint, name: str, environment: str, clock: Clock, bound: int = MOST_WAITING
) -> AsyncIterator[Location]:
    """Keep up the way to the server meanwhile; returns at once, whether it is there or not.

    ``bound`` is how many slots of the location may wait or be run at once.
    """
    prepare = partial(streams.prepare, location=name, environment=environment, bound=bound)
    uplink = Uplink(endpoint, prepare, clock)
    keeping = asyncio.create_task(uplink.keep())
    try:
        yield Location(uplink, name)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
