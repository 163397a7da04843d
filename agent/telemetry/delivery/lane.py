"""A lane: one signal's way out of the spool into its collector, in order.

A payload leaves the disk only when the collector has answered for it; what was sent without an
answer is sent again. One that is refused, too large or fatal to the collector holds up no other.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.core.errors import StateError
from agent.core.first_of import first_of
from agent.telemetry.delivery.back_off import back_off, pause_after
from agent.telemetry.delivery.doubts import Doubts
from agent.telemetry.delivery.report import Report
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.sizes import SizedLink
from agent.telemetry.delivery.transport import Accepted, Refused, TooLarge, Unavailable
from agent.telemetry.delivery.turns import Turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.core.clock import Clock
    from agent.storage.database import Database
    from agent.telemetry.delivery.link import Link
    from agent.telemetry.delivery.spool import Entry, Spool
    from agent.telemetry.delivery.transport import Answer

_BATCH_BYTES: Final = 512 * 1024
# One collection a request: several points of one series in a request are not taken everywhere.
_BATCH_ENTRIES: Final = {Signal.TRACES: 100, Signal.METRICS: 1, Signal.LOGS: 100}
_STUCK: Final = 5
"""Failures in a row after which another payload is tried: it may be this one that kills."""
_SINGLY: Final = 50
"""Requests of one payload each after that has proved right."""

_log = structlog.get_logger(__name__)


class Lane:
    """Delivers one signal. ``run`` is its task, and never raises."""

    def __init__(
        self,
        signal: Signal,
        link: Link,
        database: Database,
        spool: Spool,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        self._signal = signal
        self._link = SizedLink(signal, link, clock)
        self._database = database
        self._spool = spool
        self._clock = clock
        self._stopping = stopping
        self._filled = asyncio.Event()
        self._doubts = Doubts()
        self._most = _BATCH_ENTRIES[signal]
        """Payloads in the next request: fewer while one that is refused is being looked for."""
        self._failures = 0
        self._singly = 0
        self._was_taken = False
        """Whether the last request was."""
        self._failed_alone: int | None = None
        """The payload that was not answered for and is compared with another now."""
        self._newest_next = True
        self._last_refusal = ""
        self._turns = Turns()
        self.report = Report(signal, clock)

    def wake(self) -> None:
        """Say that the spool has something new."""
        self._filled.set()

    async def run(self) -> None:
        """Deliver until told to stop. Should that fail it is told, and begun anew."""
        crashes = 0
        while True:
            try:
                await self._drain()
            except Exception as error:  # noqa: BLE001 - whatever it is, the measuring goes on
                if self._stopping.is_set() and isinstance(error, StateError):
                    # The disk refuses, and nobody waits for it any more.
                    return
                _log.exception("telemetry.failed", action="restart", signal=self._signal.value)
            if self._stopping.is_set():
                return
            await first_of(self._clock.sleep(back_off(crashes)), self._stopping.wait())
            crashes += 1

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def _drain(self) -> None:
        self._turns.backlog_until = await self._database.transaction(self._spool.last)
        while True:
            self._filled.clear()
            batch = await self._next()
            if batch:
                answer = await self._link.send(batch)
                if self._stopping.is_set() and isinstance(answer, Unavailable):
                    return
                await self._on_answer(batch, answer)
                if self._stopping.is_set() and self._doubts.door_is_shut:
                    return
            elif self._stopping.is_set():
                return
            else:
                await self._rest()

    # What is sent next.

    async def _next(self) -> list[Entry]:
        while (id_ := self._doubts.to_retry(self._clock.monotonic())) is not None:
            get = partial(self._spool.get, signal=self._signal, id_=id_)
            if (entry := await self._database.transaction(get)) is not None:
                return [entry]
            self._doubts.forget([id_])
        compared = self._failed_alone is not None
        if compared or self._doubts.door_is_shut:
            # What came last differs most from what has been tried so far.
            last = compared or self._newest_next
            self._newest_next = not self._newest_next
            return await self._database.transaction(partial(self._probe, last=last))
        return await self._database.transaction(self._in_turn)

    def _probe(self, connection: sqlite3.Connection, *, last: bool) -> list[Entry]:
        return self._spool.waiting(
            connection, self._signal, most=1, aside=self._doubts.aside, last=last
        )

    def _in_turn(self, connection: sqlite3.Connection) -> list[Entry]:
        if self._failures:
            self._turns.backlog_until = self._spool.last(connection)
        most = 1 if self._singly or self._is_stuck else self._most
        for after, upto in self._turns.ranges:
            batch = self._spool.waiting(
                connection,
                self._signal,
                most=most,
                size=min(_BATCH_BYTES, self._link.limit - 1),
                after=after,
                upto=upto,
                aside=self._doubts.aside,
            )
            if batch:
                return batch
        return []

    # What came of it.

    async def _on_answer(self, batch: Sequence[Entry], answer: Answer) -> None:
        if isinstance(answer, Accepted):
            await self._on_accepted(batch, answer)
        elif isinstance(answer, Unavailable):
            await self._on_unavailable(batch, answer)
        elif len(batch) > 1:
            self._doubts.on_batch_refused()
            self._most = len(batch) // 2
        else:
            await self._on_refused(batch[0], answer)

    async def _on_accepted(self, batch: Sequence[Entry], answer: Accepted) -> None:
        ids = [entry.id for entry in batch]
        self._doubts.on_taken(ids)
        await self._database.transaction(
            lambda connection: self._spool.accept(connection, self._signal, batch, answer.rejected)
        )
        if self._is_stuck and len(batch) == 1:
            # It was not this one. With the door open it is one of those that were sent with it.
            self._singly = _SINGLY
        else:
            self._singly = max(0, self._singly - 1)
        if self._failed_alone is not None and self._failed_alone not in ids:
            self._doubts.on_unanswered(self._failed_alone, self._clock.monotonic())
            self._singly = _SINGLY
        self._failed_alone = None
        self._turns.on_done(ids[0])
        self._most = min(self._most * 2, _BATCH_ENTRIES[self._signal])
        self._failures = 0
        self._was_taken = True
        self.report.on_taken()
        if answer.rejected:
            self.report.on_lost("telemetry.rejected", answer.rejected, answer.message)

    async def _on_unavailable(self, batch: Sequence[Entry], answer: Unavailable) -> None:
        again = batch[0].id in self._doubts.aside
        if again or (self._was_taken and self._singly and len(batch) == 1):
            self._was_taken = False
            self._doubts.on_unanswered(batch[0].id, self._clock.monotonic())
            self.report.on_kept(answer.reason)
            return
        self._was_taken = False
        if self._is_stuck and self._failed_alone is None and len(batch) == 1:
            # At once, or a door that opens meanwhile would pass for this one's fault.
            self._failed_alone = batch[0].id
            return
        self._failed_alone = None
        await self._pause(answer.reason, answer.after)

    async def _on_refused(self, entry: Entry, answer: Refused | TooLarge) -> None:
        self._turns.on_done(entry.id)
        self._was_taken = False
        self._last_refusal = answer.reason
        if self._doubts.is_lost(entry.id):
            now = self._clock.wall()
            await self._database.transaction(
                lambda connection: self._spool.refuse(
                    connection, self._signal, entry, answer.reason, now
                )
            )
            self.report.on_lost("telemetry.refused", entry.items, answer.reason)
        elif self._doubts.door_is_shut and not self._stopping.is_set():
            await self._pause(answer.reason, refused=True)

    @property
    def _is_stuck(self) -> bool:
        # Where one was at fault of late, the next may well be, and is compared at once.
        return self._failures > 0 and (self._singly > 0 or self._failures % _STUCK == 0)

    # Waiting.

    async def _rest(self) -> None:
        """Wait for something to send: new, or what was set aside for want of another."""
        if not self._doubts.aside:
            await self._filled.wait()
            return
        if self._doubts.refused:
            self.report.on_kept(self._last_refusal, refused=True)
        await first_of(self._clock.sleep(pause_after(self._failures)), self._filled.wait())
        if not self._filled.is_set():
            self._failures = min(self._failures + 1, 10)
            self._doubts.release()

    async def _pause(
        self, reason: str, after: float | None = None, *, refused: bool = False
    ) -> None:
        pause = pause_after(self._failures, after)
        self._failures += 1
        self.report.on_kept(reason, refused=refused)
        await first_of(self._clock.sleep(pause), self._stopping.wait())
