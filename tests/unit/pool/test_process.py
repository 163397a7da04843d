"""A worker's process is started whole or not at all: with real ones."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from agent.core.clock import SystemClock
from agent.pool.process import Spawn, WorkerProcess
from tests.support.piped import CONFIGURE


@pytest.fixture
def spawn(tmp_path):
    return Spawn("agent-1", CONFIGURE, lambda _: None, SystemClock(), tmp_path)


async def cancelled(starting):
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


def household():
    """This process's children, and the workers it knows: other tests may have some of their own."""
    return psutil.Process().children(), set(WorkerProcess.all.pids)


def assert_nothing_left(spawn, before):
    children, workers = before
    left = [process for process in psutil.Process().children() if process not in children]
    assert left == []
    assert WorkerProcess.all.pids <= workers
    assert WorkerProcess.all.starting == 0
    assert list(spawn.scratch.iterdir()) == []


async def test_a_start_that_is_cancelled_before_it_can_be_spoken_to_leaves_nothing(spawn):
    """Its process is killed and reaped where it runs already and nobody has it in hand yet."""
    before = household()
    starting = asyncio.create_task(WorkerProcess.start(1, spawn))
    for _ in range(1000):
        if WorkerProcess.all.pids - before[1]:
            break
        await asyncio.sleep(0)
    assert WorkerProcess.all.pids - before[1]
    await cancelled(starting)
    assert_nothing_left(spawn, before)


@pytest.mark.parametrize("turns", range(6))
async def test_a_start_that_is_cancelled_early_leaves_nothing(spawn, turns):
    """Not before its process, nor while that is being spawned."""
    before = household()
    starting = asyncio.create_task(WorkerProcess.start(1, spawn))
    for _ in range(turns):
        await asyncio.sleep(0)
    await cancelled(starting)
    assert_nothing_left(spawn, before)
