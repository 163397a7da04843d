"""The pool without workers: what it answers where none will come."""

from __future__ import annotations

import asyncio

from agent.core.clock import SystemClock
from agent.pool.pool import Pool
from agent.pool.process import Spawn
from agent.pool.recycling import PoolOptions
from tests.support.piped import CONFIGURE


async def test_nobody_rests_in_a_pool_that_closes(tmp_path):
    """A run that waits to confirm a failure gives its word as soon as the agent is aborted."""
    spawn = Spawn("agent-1", CONFIGURE, lambda _: None, SystemClock(), tmp_path)
    pool = Pool(PoolOptions(1, 50, 3600.0, 1 << 30), spawn, lambda _: None)
    resting = asyncio.create_task(pool.rest(3600.0))
    await asyncio.sleep(0)
    assert not resting.done()
    await pool.abort("the agent was stopped")
    async with asyncio.timeout(5):
        await resting
        await pool.rest(3600.0)
