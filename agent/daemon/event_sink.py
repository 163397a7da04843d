"""What the stations that walk report, handed on to those that count."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.core.model import Slot

if TYPE_CHECKING:
    from agent.core.results import RunResult
    from agent.runs.ledger import Ledger
    from agent.telemetry.telemetry import Telemetry

_log = structlog.get_logger("footfall.daemon")


class EventSink:
    """Takes what happens beside the runs' results."""

    def __init__(self, telemetry: Telemetry, ledger: Ledger) -> None:
        self._telemetry = telemetry
        self._ledger = ledger
        self._writing: set[asyncio.Task[None]] = set()

    def on_late(self, run: RunResult, seconds: float) -> None:
        """Count how long after its slot a run started."""
        slot = Slot(run.journey.name, run.location, run.scheduled_at or run.started_at)
        self._telemetry.observe_lateness(slot, run.journey.site.name, seconds)

    def on_worker_replaced(self, reason: str) -> None:
        """Count a worker that was replaced."""
        _log.info("worker.replaced", action="restart", reason=reason)
        task = asyncio.create_task(self._ledger.restarted(reason))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def written(self) -> None:
        """Wait until all that was reported is written down."""
        await asyncio.gather(*self._writing, return_exceptions=True)
