"""A claim on a slot, kept while the slot waits for a worker or is run."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.core.clock import Clock
    from agent.queue.seam import Queue

_EXTENSIONS = 3
"""How often a claim is extended within its lease."""


@asynccontextmanager
async def held(queue: Queue, run_id: str, clock: Clock) -> AsyncIterator[None]:
    """Keep the claim on a slot meanwhile."""
    if math.isinf(queue.lease):
        yield
        return
    holding = asyncio.create_task(_extend(queue, run_id, clock))
    try:
        yield
    finally:
        holding.cancel()


async def _extend(queue: Queue, run_id: str, clock: Clock) -> None:
    while True:
        await clock.sleep(queue.lease / _EXTENSIONS)
        await queue.extend(run_id)
