"""A location's server, opened: its store, and the queues of its lanes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from agent.queue.nats import streams
from agent.queue.nats.key_values import KeyValues
from agent.queue.nats.uplink import Uplink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.core.clock import Clock
    from agent.queue.nats.endpoint import Endpoint

MOST_WAITING = 10_000
"""Slots of a location that wait or are run, at most: the same for all of its replicas."""


class Location:
    """What the replicas of one location share. It may be away from the first moment on."""

    def __init__(self, uplink: Uplink, name: str) -> None:
        self.uplink = uplink
        self.name = name
        self.store = KeyValues(uplink, name)


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
