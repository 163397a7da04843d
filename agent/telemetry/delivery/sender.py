"""The sender: drains the spool into the collector, in order, a lane for each signal.

A signal that is refused or slow holds up nobody else. A payload leaves the disk only when
the collector has answered for it; what was sent without an answer is sent again.

What had piled up by the end of an outage, or was found at the start, is the lane's backlog.
It takes turns with what comes in since, so that an alert need not wait until hours of the
past are through; each of the two goes in order.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.transport import Accepted, Refused, Unavailable, connect
from agent.telemetry.delivery.waiting import within

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.storage.database import Database
    from agent.telemetry.delivery.export import Target
    from agent.telemetry.delivery.spool import Entry, Spool
    from agent.telemetry.delivery.transport import Transport

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_LONGEST_REQUESTED_PAUSE: Final = 600.0
_LOG_EVERY: Final = 60.0
_BATCH_BYTES: Final = 512 * 1024
# One collection a request: several points of one series in a request are not taken everywhere.
_BATCH_ENTRIES: Final = {Signal.TRACES: 100, Signal.METRICS: 1, Signal.LOGS: 100}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Lane:
    """How one signal fares."""

    signal: Signal
    transport: Transport
    most: int
    """Payloads in the next request: fewer while one that is refused is being looked for."""
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    backlog_until: int = 0
    """Up to this spool id it is the past that waits."""
    live_next: bool = False
    """Whether it is the turn of what came since."""
    quiet_until: float = 0.0


class Sender:
    """The tasks that deliver; one for each signal that has a target."""

    def __init__(
        self, database: Database, spool: Spool, targets: Mapping[Signal, Target], clock: Clock
    ) -> None:
        self._database = database
        self._spool = spool
        self._targets = targets
        self._clock = clock
        self._stopping = asyncio.Event()
        self._lanes: list[_Lane] = []
        self.tasks: tuple[asyncio.Task[None], ...] = ()

    def start(self) -> None:
        """Open the lanes. What an earlier life of the agent left is sent first."""
        self._lanes = [
            _Lane(signal, connect(to), _BATCH_ENTRIES[signal])
            for signal, to in self._targets.items()
        ]
        self.tasks = tuple(
            asyncio.create_task(self._drain(lane), name=f"telemetry-{lane.signal}")
            for lane in self._lanes
        )

    def wake(self) -> None:
        """Say that the spool has something new."""
        for lane in self._lanes:
            lane.filled.set()

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a cancellation
        """Try once more to deliver what waits, for ``timeout`` seconds at most, and close."""
        self._stopping.set()
        self.wake()
        if self.tasks:
            await within(self._clock, timeout, asyncio.wait(self.tasks))
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for lane in self._lanes:
            await lane.transport.close()

    async def _drain(self, lane: _Lane) -> None:
        lane.backlog_until = await self._database.transaction(self._spool.last)
        while True:
            lane.filled.clear()
            batch = await self._database.transaction(partial(self._next, lane=lane))
            if not batch:
                if self._stopping.is_set():
                    return
                await lane.filled.wait()
                continue
            # Serialised requests hold repeated fields only: put end to end they are one request.
            payload = b"".join(entry.payload for entry in batch)
            answer = await lane.transport.send(lane.signal, payload)
            if isinstance(answer, Unavailable):
                if self._stopping.is_set():
                    return
                await self._pause(lane, answer)
                continue
            lane.live_next = batch[0].id <= lane.backlog_until
            if isinstance(answer, Refused) and len(batch) > 1:
                lane.most = len(batch) // 2
                continue
            if isinstance(answer, Accepted):
                await self._accepted(lane, batch, answer)
            else:
                await self._refused(lane, batch[0], answer)
            lane.most = min(lane.most * 2, _BATCH_ENTRIES[lane.signal])
            lane.failures = 0

    def _next(self, connection: sqlite3.Connection, lane: _Lane) -> list[Entry]:
        if lane.failures:
            lane.backlog_until = self._spool.last(connection)
        past, since = {"upto": lane.backlog_until}, {"after": lane.backlog_until}
        for part in (since, past) if lane.live_next else (past, since):
            batch = self._spool.oldest(
                connection, lane.signal, most=lane.most, size=_BATCH_BYTES, **part
            )
            if batch:
                return batch
        return []

    async def _accepted(self, lane: _Lane, batch: list[Entry], answer: Accepted) -> None:
        await self._database.transaction(
            lambda connection: self._spool.accept(connection, lane.signal, batch, answer.rejected)
        )
        if lane.failures:
            _log.info("telemetry.delivered", action="send", signal=lane.signal.value)
        if answer.rejected:
            self._warn(
                lane,
                "telemetry.rejected",
                lost=answer.rejected,
                reason=answer.message,
            )

    async def _refused(self, lane: _Lane, entry: Entry, answer: Refused) -> None:
        now = self._clock.wall()
        await self._database.transaction(
            lambda connection: self._spool.refuse(
                connection, lane.signal, entry, answer.reason, now
            )
        )
        self._warn(
            lane,
            "telemetry.refused",
            lost=entry.items,
            reason=answer.reason,
        )

    async def _pause(self, lane: _Lane, answer: Unavailable) -> None:
        pause = min(_FIRST_PAUSE * 2**lane.failures, _LONGEST_PAUSE)
        # Spread, or every agent of a fleet comes back in the same moment.
        pause *= random.uniform(0.5, 1.0)  # noqa: S311
        if answer.after is not None:
            pause = max(pause, min(answer.after, _LONGEST_REQUESTED_PAUSE))
        lane.failures = min(lane.failures + 1, 10)
        self._warn(lane, "telemetry.kept", reason=answer.reason)
        await within(self._clock, pause, self._stopping.wait())

    def _warn(self, lane: _Lane, event: str, **values: object) -> None:
        """Log what a signal's telemetry came to, once a minute and signal at most."""
        now = self._clock.monotonic()
        if now >= lane.quiet_until:
            lane.quiet_until = now + _LOG_EVERY
            _log.warning(event, action="send", signal=lane.signal.value, **values)
