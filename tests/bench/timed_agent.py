"""An agent whose walks take a given time and do nothing: what is left is the engine itself.

``python -m tests.bench.timed_agent CONFIG SECONDS`` is ``footfall run`` in all else: schedule,
queue, books, telemetry and server are the real ones. In the file ``starts`` it leaves a line for
each walk: the slot's time, and when its walk began, both in Unix seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import log_output
from agent.core.clock import SystemClock
from agent.core.results import AttemptRecord, AttemptReport
from agent.daemon import build
from agent.daemon.serve import Daemon
from agent.runs.engine import Engine

if TYPE_CHECKING:
    from agent.pool.stops import Stop
    from agent.runs.listener import RunListener
    from agent.runs.request import AttemptOrder, RunRequest

_WALK = float(sys.argv[2])
_starts = Path("starts").open("a")  # noqa: SIM115 - as long as the process


class TimedEngine(Engine):
    """Walks by waiting."""

    async def walk(
        self,
        request: RunRequest,
        attempt: AttemptOrder,
        listener: RunListener,
        stop: Stop,
    ) -> AttemptRecord:
        listener.on_attempt_started(attempt.number)
        began = self._clock.wall()
        _starts.write(f"{request.scheduled_at} {began}\n")
        await asyncio.sleep(_WALK)
        ended = self._clock.wall()
        report = AttemptReport(started_at=began, duration=ended - began)
        return AttemptRecord(worker=1, started_at=began, ended_at=ended, report=report)


async def _main() -> None:
    log_output.configure()
    build.Engine = TimedEngine  # type: ignore[misc]
    daemon = Daemon(Path(sys.argv[1]), dict(os.environ), SystemClock())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.stop)
    await daemon.run()


if __name__ == "__main__":
    asyncio.run(_main())
