"""What the composition root holds of this station.

``record_…`` run inside the caller's transaction, on the database's thread, so that a slot's
end, its totals and its encoded spans are committed together. ``observe_…`` run on the loop
after the commit. Without an export every one of them does nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core import names
from agent.core.errors import ErrorType
from agent.core.model import Trigger
from agent.core.results import Result
from agent.storage import journey_state, totals
from agent.telemetry import counts, exemplars, logs, spans, steps
from agent.telemetry.delivery import spool
from agent.telemetry.delivery.condition import Condition, condition
from agent.telemetry.delivery.pace import Pace
from agent.telemetry.delivery.sender import Sender
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Spool
from agent.telemetry.gauges import Gauges
from agent.telemetry.metrics import Metrics
from agent.telemetry.resource import describe
from agent.telemetry.steps import StepNames

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.resources import Resource

    from agent.core.clock import Clock
    from agent.core.model import Journey, SkipReason, Slot
    from agent.core.results import RunResult
    from agent.storage.database import Database
    from agent.storage.journey_state import JourneyState
    from agent.storage.totals import Total
    from agent.telemetry.delivery.destination import Export
    from agent.telemetry.delivery.spool import Backlog, Bounds
    from agent.telemetry.exemplars import Exemplar
    from agent.telemetry.gauges import Read
    from agent.telemetry.resource import ResourceInfo
    from agent.telemetry.steps import Seen

SCHEMA: Final = "".join(part.SCHEMA for part in (totals, exemplars, steps, journey_state, spool))


@dataclass(frozen=True, slots=True)
class _Pipe:
    """What exists only where telemetry goes somewhere."""

    export: Export
    resource: Resource
    sender: Sender


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What the database held at one moment."""

    totals: tuple[Total, ...]
    exemplars: tuple[Exemplar, ...]
    states: Mapping[str, JourneyState]
    backlog: Mapping[Signal, Backlog]


class Telemetry:
    """Counts, spools and sends. ``start`` before the first ``observe_…``, ``stop`` at the end."""

    def __init__(
        self,
        database: Database,
        export: Export | None,
        identity: ResourceInfo,
        clock: Clock,
        bounds: Bounds,
    ) -> None:
        self._database = database
        self._identity = identity
        self._clock = clock
        self._spool = Spool(bounds)
        self._pipe = (
            _Pipe(
                export,
                describe(identity, export.resource),
                Sender(database, self._spool, export.targets, clock),
            )
            if export is not None
            else None
        )
        self._metrics: Metrics | None = None
        self._steps = StepNames({})
        self._gauges = Gauges(identity.location)
        self._pace = Pace(clock, export.interval if export is not None else 0.0)
        self._ticking: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks that must live as long as the agent; one that ends early is a fault."""
        if self._pipe is None or self._ticking is None:
            return ()
        return (self._ticking, *self._pipe.sender.tasks)

    async def start(self) -> None:
        """Take up the totals and begin to collect and send."""
        if self._pipe is None:
            return
        epoch, seen = await self._database.transaction(self._begin)
        self._steps = StepNames(seen)
        self._metrics = Metrics(self._pipe.resource, self._identity.version, epoch, self._steps)
        self._pipe.sender.start()
        self._ticking = asyncio.create_task(self._tick(self._metrics), name="telemetry-metrics")

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a cancellation
        """Collect a last time, try to deliver what waits, and stop within ``timeout`` seconds.

        What could not be delivered stays on disk for the next start.
        """
        if self._pipe is None or self._metrics is None:
            return
        self._pace.stop()
        if self._ticking is not None:
            # It collects once more and ends. Where it had died, somebody has seen it in ``tasks``.
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._ticking = None
        await self._pipe.sender.stop(timeout)
        self._metrics.close()
        self._metrics = None

    def watch(
        self, journeys: Sequence[Journey], gap: Callable[[Journey], float] | None = None
    ) -> None:
        """Replace the journeys that have gauges; disabled ones have none.

        ``gap`` tells the seconds up to a journey's next slot from the one before it, where
        that is not always its interval: a cron line.
        """
        self._gauges.watch(journeys, gap)

    def gauge(self, name: str, read: Read) -> None:
        """Have ``read`` asked at every collection, on the loop, for a gauge of the catalogue.

        Raises:
            ValueError: the catalogue has no gauge of that name.

        """
        self._gauges.add(name, read)

    def record_run(self, connection: sqlite3.Connection, run: RunResult) -> None:
        """Count a finished run and spool its spans and its log record.

        Only the schedule's runs count; the others leave spans and a log record.
        """
        if self._pipe is None:
            return
        version = self._identity.version
        if Signal.TRACES in self._pipe.export.targets:
            payload, items = spans.encode_run(run, self._pipe.resource, version)
            self._put(connection, Signal.TRACES, payload, items)
        if Signal.LOGS in self._pipe.export.targets:
            payload = logs.encode_run(run, self._pipe.resource, version)
            self._put(connection, Signal.LOGS, payload, 1)
        if run.trigger is Trigger.SCHEDULE:
            for metric, attributes, amount in counts.of_result(run):
                totals.add(connection, metric, attributes, amount)
                if metric == names.RUNS:
                    exemplars.note(connection, metric, attributes, run)

    def record_expected(
        self, connection: sqlite3.Connection, slot: Slot, site: str, count: int = 1
    ) -> None:
        """Count slots that came due, whatever becomes of them."""
        if self._pipe is not None:
            totals.add(connection, names.SCHEDULE_EXPECTED, counts.of_slot(slot, site), count)

    def record_skip(
        self,
        connection: sqlite3.Connection,
        slot: Slot,
        site: str,
        reason: SkipReason,
        count: int = 1,
    ) -> None:
        """Count slots that were not run."""
        if self._pipe is not None:
            attributes = {**counts.of_slot(slot, site), names.REASON: reason.value}
            totals.add(connection, names.SCHEDULE_SKIPPED, attributes, count)

    def record_lost(self, connection: sqlite3.Connection, slot: Slot, site: str) -> None:
        """Count the run of a slot whose agent died and whose journey is gone since."""
        if self._pipe is not None:
            attributes = {
                **counts.of_slot(slot, site),
                names.RESULT: Result.NOT_MEASURED.value,
                names.ERROR_TYPE: ErrorType.WORKER_LOST.value,
            }
            totals.add(connection, names.RUNS, attributes)

    def record_restart(self, connection: sqlite3.Connection, reason: str) -> None:
        """Count a worker that was replaced; ``reason`` is one of few words."""
        if self._pipe is not None:
            totals.add(connection, names.AGENT_WORKER_RESTARTS, {names.REASON: reason})

    def observe_run(self, run: RunResult) -> None:
        """Record a committed run's durations, and have it sent."""
        if self._pipe is None or self._metrics is None:
            return
        if run.trigger is Trigger.SCHEDULE:
            self._metrics.observe_run(run)
            self._pace.hear(run)
        self._pipe.sender.wake()

    def observe_lateness(self, slot: Slot, site: str, seconds: float) -> None:
        """Record how long after its slot a run started."""
        if self._metrics is not None:
            self._metrics.observe_lateness(counts.of_slot(slot, site), max(0.0, seconds))

    async def backlog(self) -> Mapping[Signal, Backlog]:
        """Return what waits for the collector, by signal."""
        return await self._database.transaction(self._spool.backlog)

    def condition(self) -> Condition:
        """Return how delivery stands, and whether somebody should look."""
        if self._pipe is None:
            return Condition("nothing is sent")
        return condition(self._pipe.sender.reports, self._spool.overflow, self._clock.wall())

    async def _tick(self, collector: Metrics) -> None:
        more = True
        while more:
            more = await self._pace.wait()
            await self._collect(collector)

    async def _collect(self, collector: Metrics) -> None:
        if self._pipe is None or Signal.METRICS not in self._pipe.export.targets:
            return
        snapshot = await self._database.transaction(self._snapshot)
        self._pace.held_up = snapshot.backlog[Signal.METRICS].items > 0
        now = self._clock.wall()
        readings = self._gauges.read(snapshot.states, snapshot.backlog, now)
        # Off the loop: with many journeys the encoding takes longer than a start may be late.
        payload, items = await asyncio.to_thread(
            collector.collect, snapshot.totals, readings, now, snapshot.exemplars
        )
        # Not before: it has to hold every name that the collection tells.
        seen = self._steps.unsaved()

        def keep(connection: sqlite3.Connection) -> None:
            self._put(connection, Signal.METRICS, payload, items)
            exemplars.forget(connection, snapshot.exemplars)
            steps.save(connection, seen)

        if items:
            await self._database.transaction(keep)
        self._pipe.sender.wake()

    def _begin(self, connection: sqlite3.Connection) -> tuple[float, Seen]:
        self._spool.recount(connection)
        now = self._clock.wall()
        return totals.begin(connection, now), steps.begin(connection, now)

    def _snapshot(self, connection: sqlite3.Connection) -> _Snapshot:
        return _Snapshot(
            totals.read(connection),
            exemplars.read(connection),
            journey_state.read(connection, self._identity.location),
            self._spool.backlog(connection),
        )

    def _put(
        self, connection: sqlite3.Connection, signal: Signal, payload: bytes, items: int
    ) -> None:
        self._spool.put(connection, signal, payload, items, self._clock.wall())
