"""One replica's end of a location's queue on a real server, without the rest of an agent."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from agent.core.clock import SystemClock
from agent.queue.nats.endpoint import Endpoint
from agent.queue.nats.location import MOST_WAITING, opened
from agent.queue.nats.upkeep import Upkeep
from agent.queue.ownership import Ownership

if TYPE_CHECKING:
    from agent.queue.nats.work_queue import WorkQueue

WITHIN = 60.0
"""Seconds within which whatever is waited for happens, beside any load."""


@dataclass
class Heard:
    """A replica as the others hear it."""

    instance: str
    bundle: str
    free: int = 1
    draining: bool = False


class HeardReplicas:
    """Who is heard, as a test says."""

    def __init__(self, *heard: Heard) -> None:
        self.all = list(heard)

    def heard(self) -> list[Heard]:
        return self.all


class ReplicaQueue:
    """One replica on the server at ``url``: ``queue`` is its lane for browsers.

    ``replicas`` is who all replicas of a test hear; without it, this one alone is.
    """

    def __init__(
        self,
        url: str,
        instance: str = "one",
        *,
        bundle: str = "b1",
        replicas: HeardReplicas | None = None,
        bound: int = MOST_WAITING,
        lifetime: float = 100.0,
        location: str = "eu-west-1",
        clock: SystemClock | None = None,
    ) -> None:
        self.instance = instance
        self.clock = clock or SystemClock()
        self.lifetime = lifetime
        self.name = location
        self._endpoint = Endpoint(url)
        self._bundle = bundle
        self._replicas = replicas or HeardReplicas(Heard(instance, bundle))
        self._bound = bound
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        made = opened(self._endpoint, self.name, "test", self.clock, self._bound)
        self.location = await self._stack.enter_async_context(made)
        self.store = self.location.store
        self.ownership = Ownership(self.store, self._replicas, self._bundle, self.clock)
        queues = self.location.queues(
            self.ownership, self.instance, lambda _: self.lifetime, self.clock
        )
        self.queue: WorkQueue
        self.queue, self.calls = await self._stack.enter_async_context(queues)
        self.upkeep = Upkeep(
            self.location.uplink, self.name, [self.queue, self.calls], self.ownership, self.clock
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def settled(self) -> Self:
        """Wait until it is there and knows whose slots are walked."""
        async with asyncio.timeout(WITHIN):
            await self.store.until_connected()
            while not self.ownership.settled:  # noqa: ASYNC110 - set by what another task asks
                await asyncio.sleep(0.02)
        return self

    async def depth(self) -> int:
        """How many slots of the lane wait, as the server says it now."""
        await self.upkeep.look()
        return self.queue.depth

    @contextlib.asynccontextmanager
    async def holding(self, run_id: str):
        """Say again and again that a slot is still being run, as its runner does."""

        async def extend() -> None:
            while True:
                await asyncio.sleep(self.queue.lease / 3)
                await self.queue.extend(run_id)

        task = asyncio.create_task(extend())
        try:
            yield
        finally:
            task.cancel()
