"""How slots are walked and counted where several replicas share a location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.queue.ownership import Ownership
from agent.replicas.attendance import Attendance
from agent.replicas.patient_queue import PatientQueue
from agent.replicas.sweep import Sweep
from agent.runs.lanes import Lane, Lanes
from agent.runs.replicated.replica_ledger import ReplicaLedger, Sharing
from agent.runs.replicated.settling import keep_settled
from agent.schedule.lateness import lifetime, too_late

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from contextlib import AsyncExitStack

    from agent.core.clock import Clock
    from agent.core.model import Journey, Slot
    from agent.core.suspension import Suspension
    from agent.daemon.replica import Replica
    from agent.loading.load import Loaded
    from agent.queue.seam import QueuedSlot
    from agent.runs.dispatcher import Dispatcher
    from agent.schedule.decision import Skip
    from agent.storage.database import Database
    from agent.telemetry.telemetry import Telemetry

_UNKNOWN = 600.0
"""Seconds for which a slot is of use whose journey isn't known here."""


class SharedSlots:
    """The queue, the books and the sweep of one replica."""

    def __init__(
        self,
        replica: Replica,
        loaded: Loaded,
        database: Database,
        telemetry: Telemetry,
        suspended: Callable[[Journey, float], Sequence[Suspension]],
        clock: Clock,
    ) -> None:
        settings, store = loaded.settings, replica.store
        self._replica = replica
        self._clock = clock
        self._journeys: Mapping[str, Journey] = {one.name: one for one in loaded.journeys}
        self._ownership = Ownership(store, replica.presence, loaded.bundle, clock)
        self._attendance = Attendance(store, clock)
        self._queues: list[PatientQueue] = []
        self._dispatcher: Dispatcher | None = None
        self._sweep = Sweep(
            store,
            self._attendance,
            settings.location,
            clock,
            self._give,
            self._lose,
            lambda: replica.leader.is_leader,
            self._owns,
        )
        sharing = Sharing(store, replica.instance, self._owns, settings.queue.rerun)
        self.ledger = ReplicaLedger(
            database, telemetry, settings.location, suspended, replica.verdicts, clock, sharing
        )

    async def open(self, stack: AsyncExitStack, workers: int) -> None:
        """Open the queues of both kinds of walks, for as long as ``stack`` is not left."""
        opening = self._replica.location.queues(
            self._ownership, self._replica.instance, self._lifetime, self._clock
        )
        opened = await stack.enter_async_context(opening)
        self._queues = [PatientQueue(one, self._clock, self._in_time) for one in opened]
        browsers, calls = self._queues
        self.lanes = Lanes(Lane(browsers, workers), Lane(calls, workers))

    def lose_by(self, dispatcher: Dispatcher) -> None:
        """Have this end slots whose walks were lost."""
        self._dispatcher = dispatcher

    def load(self, loaded: Loaded) -> None:
        """Go by these journeys from now on."""
        self._journeys = {one.name: one for one in loaded.journeys}
        self._ownership.serve(loaded.bundle)
        self._sweep.load(loaded.journeys, self._clock.wall())

    def tasks(self) -> dict[str, Coroutine[object, object, object]]:
        """Return what goes on as long as the agent does, by name."""
        store = self._replica.store
        tasks: dict[str, Coroutine[object, object, object]] = {
            "words": keep_settled(self.ledger, store, self._clock),
            "attendance": self._attendance.run(),
            "sweep": self._sweep.run(),
        }
        for number, queue in enumerate(self._queues):
            tasks[f"offers {number}"] = queue.run()
        return tasks

    async def _give(self, skip: Skip) -> None:
        await self.ledger.give(skip)

    async def _lose(self, slot: Slot) -> None:
        if self._dispatcher is not None:
            await self._dispatcher.lose(slot)

    def _owns(self) -> bool:
        return self._ownership.owns

    def _lifetime(self, name: str) -> float:
        journey = self._journeys.get(name)
        return _UNKNOWN if journey is None else lifetime(journey)

    def _in_time(self, queued: QueuedSlot) -> bool:
        journey = self._journeys.get(queued.slot.journey)
        late = self._clock.wall() - queued.slot.scheduled_at
        return journey is not None and not too_late(journey, late)


async def share_slots(
    stack: AsyncExitStack,
    replica: Replica | None,
    loaded: Loaded,
    database: Database,
    telemetry: Telemetry,
    suspended: Callable[[Journey, float], Sequence[Suspension]],
    clock: Clock,
) -> SharedSlots | None:
    """Open them where this agent is a replica; None: it is alone."""
    if replica is None:
        return None
    shared = SharedSlots(replica, loaded, database, telemetry, suspended, clock)
    await shared.open(stack, loaded.settings.workers.count)
    return shared
