"""What the composition root holds of this station.

``record_…`` run inside the caller's transaction, on the database's thread, so that a slot's
end, its totals and its encoded spans are committed together. ``observe_…`` run on the loop
after the commit. Without an export every one of them does nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from agent.core import names
from agent.core.clock import SteadyTime
from agent.core.errors import ErrorType
from agent.core.model import Trigger
from agent.core.results import Result
from agent.storage import certificates, deploys, journey_state, totals
from agent.telemetry import counts, exemplars, histograms, measurements, payloads, spans, steps
from agent.telemetry.collection_timer import CollectionTimer
from agent.telemetry.collector import Collector
from agent.telemetry.delivery import spool
from agent.telemetry.delivery.condition import Condition, condition
from agent.telemetry.delivery.sender import Sender
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Spool
from agent.telemetry.gauges import Gauges
from agent.telemetry.histograms import RunOfBucket
from agent.telemetry.resource import describe
from agent.telemetry.steps import StepNames

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.resources import Resource

    from agent.core.clock import Clock
    from agent.core.gate import GateEnd
    from agent.core.model import Journey, SkipReason, Slot
    from agent.core.results import RunResult
    from agent.storage.database import Database
    from agent.storage.run_end import Turn
    from agent.telemetry.delivery.destination import Export
    from agent.telemetry.delivery.spool import Backlog, Bounds
    from agent.telemetry.gauges import Read, Told
    from agent.telemetry.resource import ResourceInfo

SCHEMA: Final = "".join(
    part.SCHEMA
    for part in (totals, histograms, exemplars, steps, journey_state, certificates, deploys, spool)
)


@dataclass(frozen=True, slots=True)
class _Pipe:
    """What exists only where telemetry goes somewhere."""

    export: Export
    resource: Resource
    sender: Sender
    collector: Collector


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
        self._time = SteadyTime(clock)
        """For how old something is, whatever is done to the wall clock."""
        self._spool = Spool(bounds)
        self._steps = StepNames()
        self._gauges = Gauges(identity.location)
        self._timer = CollectionTimer(clock, export.interval if export is not None else 0.0)
        self._pipe = self._open(export) if export is not None else None
        self._collecting: asyncio.Task[None] | None = None

    @property
    def interval(self) -> float:
        """Seconds between two collections; 0 where nothing is sent."""
        return self._pipe.export.interval if self._pipe is not None else 0.0

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks that must live as long as the agent; one that ends early is a fault."""
        if self._pipe is None:
            return ()
        collecting = (self._collecting,) if self._collecting is not None else ()
        return (*collecting, *self._pipe.sender.tasks)

    async def start(self) -> None:
        """Take up the totals and begin to collect and send."""
        if self._pipe is None:
            return
        await self._database.transaction(self._begin)
        pipe = self._pipe
        pipe.sender.start()
        if Signal.METRICS in pipe.export.targets:
            collecting = pipe.collector.run(pipe.sender.wake)
            self._collecting = asyncio.create_task(collecting, name="telemetry-metrics")

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a cancellation
        """Collect a last time, try to deliver what waits, and stop within ``timeout`` seconds.

        What could not be delivered stays on disk for the next start.
        """
        if self._pipe is None:
            return
        self._timer.stop()
        if self._collecting is not None:
            # It collects once more and ends. Where it had died, somebody has seen it in ``tasks``.
            await asyncio.gather(self._collecting, return_exceptions=True)
            self._collecting = None
        await self._pipe.sender.stop(timeout)

    def watch(
        self, journeys: Sequence[Journey], gap: Callable[[Journey], float] | None = None
    ) -> None:
        """Replace the journeys that have gauges; disabled ones have none.

        ``gap`` tells the seconds up to a journey's next slot from the one before it, where
        that is not always its interval: a cron line.
        """
        self._gauges.watch(journeys, gap)

    def tell_suspended(self, told: Told) -> None:
        """Have this asked at every collection for what suspends a journey."""
        self._gauges.tell_suspended(told)

    def collect_at_once(self) -> None:
        """Collect the metrics now, not at the next interval: what rules go by has changed."""
        self._timer.at_once()

    def gauge(self, name: str, read: Read) -> None:
        """Have ``read`` asked at every collection, on the loop, for a gauge of the catalogue.

        Raises:
            ValueError: the catalogue has no gauge of that name.

        """
        self._gauges.add(name, read)

    def record_run(
        self, connection: sqlite3.Connection, run: RunResult, turn: Turn | None = None
    ) -> None:
        """Count a finished run and spool its spans and log records.

        Only the schedule's runs count; the others leave spans and a log record.
        """
        if self._pipe is None:
            return
        pipe, now = self._pipe, self._time.now()
        signals, version = pipe.export.targets, self._identity.version
        near = partial(deploys.near, connection, run.journey.site.name)
        for signal, payload, items in payloads.of_run(
            run, turn, near, signals, pipe.resource, version
        ):
            self._spool.put(connection, signal, payload, items, now)
        if run.trigger is not Trigger.SCHEDULE:
            return
        for metric, attributes, amount in counts.of_result(run):
            totals.add(connection, metric, attributes, amount)
            if metric == names.RUNS:
                exemplars.note(connection, metric, attributes, run)
        if run.closer:
            return
        bounded = partial(self._steps.bounded, connection, now=run.ended_at)
        for one in measurements.of_result(run, bounded):
            bucket_run = RunOfBucket(one.value, run.trace_id, one.span_id, run.ended_at)
            histograms.record(connection, one.metric, one.attributes, one.value, bucket_run)

    def record_gate(self, connection: sqlite3.Connection, end: GateEnd) -> None:
        """Count a gate's verdict and spool its span."""
        if self._pipe is None:
            return
        pipe, now = self._pipe, self._time.now()
        if Signal.TRACES in pipe.export.targets:
            payload, items = spans.encode_gate(end, pipe.resource, self._identity.version)
            self._spool.put(connection, Signal.TRACES, payload, items, now)
        attributes = counts.of_gate(end)
        totals.add(connection, names.GATE_VERDICTS, attributes)
        histograms.record(connection, names.GATE_DURATION, attributes, end.seconds)

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
        """Have a committed run sent."""
        if self._pipe is None:
            return
        if run.trigger is Trigger.SCHEDULE:
            self._timer.on_run(run)
        self._pipe.sender.wake()

    def observe_gate(self) -> None:
        """Have a committed verdict sent."""
        if self._pipe is not None:
            self._timer.at_once()
            self._pipe.sender.wake()

    def observe_lateness(self, slot: Slot, site: str, seconds: float) -> None:
        """Take in how long after its slot a run started."""
        if self._pipe is not None:
            self._pipe.collector.on_late(counts.of_slot(slot, site), max(0.0, seconds))

    async def backlog(self) -> Mapping[Signal, Backlog]:
        """Return what waits for the collector, by signal."""
        return await self._database.transaction(self._spool.backlog)

    def condition(self) -> Condition:
        """Return how delivery stands, and whether somebody should look."""
        if self._pipe is None:
            return Condition("nothing is sent")
        reports, now = self._pipe.sender.reports, self._time.now()
        return condition(reports, self._spool.overflow, now, self._clock.wall())

    def _open(self, export: Export) -> _Pipe:
        resource = describe(self._identity, export.resource)
        return _Pipe(
            export,
            resource,
            Sender(self._database, self._spool, export.targets, self._clock),
            Collector(
                self._database,
                self._spool,
                self._gauges,
                self._timer,
                self._identity,
                resource,
                self._clock,
                self._time,
            ),
        )

    def _begin(self, connection: sqlite3.Connection) -> None:
        self._spool.recount(connection)
        now = self._clock.wall()
        totals.begin(connection, now)
        for journey, step in steps.begin(connection, now):
            histograms.drop_step(connection, journey, step)
