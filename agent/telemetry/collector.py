"""Collecting the metrics: from what the database holds into the spool, at each turn of a timer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import structlog

from agent.core import names
from agent.core.errors import StateError
from agent.storage import certificates, journey_state, totals
from agent.telemetry import exemplars, histograms
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.metrics import Collection, encode_collection

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.resources import Resource

    from agent.core.clock import Clock, SteadyTime
    from agent.storage.certificates import Known
    from agent.storage.database import Database
    from agent.storage.journey_state import JourneyState
    from agent.telemetry.collection_timer import CollectionTimer
    from agent.telemetry.delivery.spool import Backlog, Spool
    from agent.telemetry.gauges import Gauges
    from agent.telemetry.resource import ResourceInfo

    States: TypeAlias = Mapping[str, JourneyState]
    Waiting: TypeAlias = Mapping[Signal, Backlog]

_log = structlog.get_logger(__name__)


class Collector:
    """Puts one payload of all metrics into the spool at each turn."""

    def __init__(
        self,
        database: Database,
        spool: Spool,
        gauges: Gauges,
        timer: CollectionTimer,
        identity: ResourceInfo,
        resource: Resource,
        clock: Clock,
        time: SteadyTime,
    ) -> None:
        self._database = database
        self._spool = spool
        self._gauges = gauges
        self._timer = timer
        self._identity = identity
        self._resource = resource
        self._clock = clock
        self._time = time
        self._late: list[tuple[Mapping[str, str], float]] = []

    def on_late(self, attributes: Mapping[str, str], seconds: float) -> None:
        """Note how long after its slot a run started; the next collection writes it down."""
        self._late.append((attributes, seconds))

    async def run(self, collected: Callable[[], None]) -> None:
        """Collect at each turn until the timer is stopped, and call ``collected`` after each.

        Should one fail it is told, and the next goes on.
        """
        more = True
        while more:
            more = await self._timer.wait()
            try:
                await self.collect()
            except Exception as error:  # noqa: BLE001 - whatever it is, the measuring goes on
                if isinstance(error, StateError) and not more:
                    return  # the disk refuses, and nobody waits for it any more
                _log.exception("telemetry.uncollected", action="retry")
            collected()

    async def collect(self) -> None:
        """Spool what all metrics come to now."""
        late, self._late = self._late, []
        now = self._clock.wall()

        def look(connection: sqlite3.Connection) -> tuple[Collection, States, list[Known], Waiting]:
            for attributes, seconds in late:
                histograms.record(connection, names.SCHEDULE_LATENESS, attributes, seconds)
            kept = Collection(
                epoch=totals.begin(connection, now),
                now=now,
                totals=totals.read(connection),
                distributions=histograms.read(connection),
                exemplars=exemplars.read(connection),
            )
            states = journey_state.read(connection, self._identity.location)
            known = certificates.read(connection)
            return kept, states, known, self._spool.backlog(connection)

        kept, states, known, backlog = await self._database.transaction(look)
        self._timer.held_up = backlog[Signal.METRICS].items > 0
        # On the loop, where what they read lives.
        readings = self._gauges.read(states, known, backlog, now, self._time.now())
        collection = replace(kept, readings=readings)
        # Off the loop: with many journeys the encoding takes longer than a start may be late.
        payload, items = await asyncio.to_thread(
            encode_collection, collection, self._resource, self._identity.version
        )

        def keep(connection: sqlite3.Connection) -> None:
            self._spool.put(connection, Signal.METRICS, payload, items, self._time.now())
            exemplars.forget(connection, collection.exemplars)
            histograms.forget(connection, collection.distributions)

        if items:
            await self._database.transaction(keep)
