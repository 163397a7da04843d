"""Bringing a worker up: tried until one serves, each time as it is wanted by then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.core.first_of import first_of
from agent.pool.process import Spawn, WorkerProcess
from agent.protocol.messages import Ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.protocol.messages import FromWorker

_log = structlog.get_logger("footfall.workers")

_START_TIMEOUT = 30.0
_RESTART_PAUSE = 1.0
"""Seconds between two tries to start a worker that won't start."""


async def bring_up(
    number: int, wanted: Callable[[], Spawn], on_trouble: Callable[[str], None]
) -> WorkerProcess:
    """Start a worker and return it once it serves.

    ``wanted`` is asked before each try, and after it once more: settings may change while a
    worker comes up. ``on_trouble`` is given why a try failed, and "" where it didn't. A worker
    whose browser won't start still serves: its runs say so.
    """
    while True:
        spawn = wanted()
        try:
            worker = await WorkerProcess.start(number, spawn)
        except OSError as error:
            trouble = f"no worker process can be started: {error}"
            on_trouble(trouble)
            _log.error("worker.start_failed", action="retry", error=trouble)
            await spawn.clock.sleep(_RESTART_PAUSE)
            continue
        try:
            trouble = await _greet(worker)
        except BaseException:
            await worker.kill()
            raise
        on_trouble(trouble)
        if spawn is wanted() and (not trouble or not worker.gone.is_set()):
            worker.tree.note_household()
            return worker
        await worker.kill()
        if spawn is wanted():
            _log.error("worker.start_failed", action="retry", worker=number, error=trouble)
            await spawn.clock.sleep(_RESTART_PAUSE)


async def _greet(worker: WorkerProcess) -> str:
    """Wait until the worker says that it is ready; return its trouble, if any."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def listen(message: FromWorker) -> None:
        if isinstance(message, Ready) and not ready.done():
            ready.set_result(message.error)

    worker.listener = listen
    await first_of(ready, worker.gone.wait(), limit=_START_TIMEOUT)
    if not ready.done() and not worker.gone.is_set():
        worker.gone.set()
        return f"the worker was not ready within {_START_TIMEOUT:.0f} s"
    return ready.result() if ready.done() else "the worker ended while starting"
