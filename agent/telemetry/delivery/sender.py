"""The sender: a lane for each signal, so that one that is refused or slow holds up nobody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.core.first_of import first_of
from agent.telemetry.delivery.lane import Lane
from agent.telemetry.delivery.link import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.storage.database import Database
    from agent.telemetry.delivery.destination import Target
    from agent.telemetry.delivery.report import Report
    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.spool import Spool


class Sender:
    """The tasks that deliver; one for each signal that has a target."""

    def __init__(
        self, database: Database, spool: Spool, targets: Mapping[Signal, Target], clock: Clock
    ) -> None:
        self._clock = clock
        self._stopping = asyncio.Event()
        self._lanes = {
            signal: Lane(signal, Link(signal, target), database, spool, clock, self._stopping)
            for signal, target in targets.items()
        }
        self.tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def reports(self) -> Mapping[Signal, Report]:
        """How each signal fares."""
        return {signal: lane.report for signal, lane in self._lanes.items()}

    def start(self) -> None:
        """Open the lanes. What an earlier life of the agent left is sent first."""
        self.tasks = tuple(
            asyncio.create_task(lane.run(), name=f"telemetry-{signal}")
            for signal, lane in self._lanes.items()
        )

    def wake(self) -> None:
        """Say that the spool has something new."""
        for lane in self._lanes.values():
            lane.wake()

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a cancellation
        """Try once more to deliver what waits, for ``timeout`` seconds at most, and close."""
        self._stopping.set()
        self.wake()
        if self.tasks:
            await first_of(self._clock.sleep(timeout), asyncio.wait(self.tasks))
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks = ()
        for lane in self._lanes.values():
            await lane.close()
