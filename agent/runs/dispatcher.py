"""From a slot on offer to its one word: queueing, running, and the drain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.core import ids
from agent.core.model import SkipReason
from agent.pool.memory import free_memory
from agent.queue.seam import Answer, QueuedSlot
from agent.runs.beside import Beside
from agent.runs.busy import Busy
from agent.runs.held_claim import held
from agent.runs.ledger import Fate
from agent.runs.places import Place
from agent.runs.slot_walks import SlotWalks
from agent.schedule.decision import Elsewhere, Offer, Skip
from agent.schedule.lateness import too_late
from agent.schedule.slots import Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.core.clock import Clock
    from agent.core.model import Journey, Slot
    from agent.core.results import RunResult
    from agent.queue.seam import Claim, Queue
    from agent.runs.engine import Engine
    from agent.runs.lanes import Lane, Lanes
    from agent.runs.ledger import Ledger
    from agent.schedule.decision import Decision
    from agent.schedule.timeline import Timeline

_log = structlog.get_logger("footfall.dispatch")

ROOM = 256 * 1024**2
"""Bytes that must be free for a run to start: what a browser takes beside an idle worker."""


class Dispatcher:
    """Carries out what the schedule decides.

    ``suspended`` tells why a pause or a window keeps a journey from being walked at a Unix time.

    ``rerun`` has a slot walked again whose first runner was not heard of any more; else it is
    lost.

    At most as many runs walk at once as their lane has workers; those that rest until their
    failure is confirmed don't count.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        lanes: Lanes,
        timeline: Timeline,
        clock: Clock,
        on_late: Callable[[RunResult, float], None],
        suspended: Callable[[Journey, float], SkipReason | None],
        rerun: bool = False,
    ) -> None:
        self._engine = engine
        self._walks = SlotWalks(engine, ledger, timeline, clock, on_late)
        self._ledger = ledger
        self.lanes = lanes
        self._timeline = timeline
        self._clock = clock
        self._suspended = suspended
        self._rerun = rerun
        self.beside = Beside()
        """Journeys that are walked beside their slots."""
        self._busy = Busy()
        self._claimed: set[str] = set()
        self._draining = False
        self._deciding = asyncio.Lock()
        """Held from when the queue is told of slots until the books have them."""
        self.journeys: Mapping[str, Journey] = {}
        """The journeys that may run, by name."""

    def obstacle(self, journey: Journey) -> SkipReason | None:
        """Return why the schedule can't have a journey walked now; None: it can."""
        suspended = self._suspended(journey, self._clock.wall())
        if suspended is None and self.is_busy(journey.name):
            # Behind walks that went ahead of it, the last one is not to blame.
            waited = self._busy.any_stood_back(journey.name, self._gone(journey))
            return SkipReason.CAPACITY if waited else SkipReason.OVERRUN
        return suspended

    def is_busy(self, journey: str) -> bool:
        """Whether a slot of this journey waits or runs."""
        return self._busy.has(journey)

    @property
    def running(self) -> int:
        """How many slots wait or run."""
        return len(self._busy)

    @property
    def draining(self) -> bool:
        """Whether it offers no slots any more and lets what runs end."""
        return self._draining

    async def end_unfinished(self) -> None:
        """Give a word to every slot that a killed predecessor left without one."""
        for left in await self._ledger.unfinished():
            journey = self.journeys.get(left.slot.journey)
            await self._walks.end_lost(left, journey, "the agent died under the run")

    async def carry_out(self, decisions: list[Decision]) -> None:
        """Queue what the schedule offers, and write down what was decided."""
        if not decisions:
            return
        async with self._deciding:
            # The queue first, since it may refuse: so what it took, refused or left to another
            # replica is one commit. A kill in between leaves the slots undecided.
            # All at once, since each may take a moment: they are asked for in their order.
            placed = await asyncio.gather(*(self._place(one) for one in decisions))
            await self._ledger.decide(placed, self._timeline.ahead())

    async def work(self, lane: Lane) -> None:
        """Run queued slots one after the other, for ever; ``lane.runners`` of these at once."""
        while True:
            async with lane.claiming:
                await lane.places.until_free()
                claim = await lane.queue.claim()
            run_id = claim.queued.run_id
            if run_id in self._claimed:
                # It lapsed while this process stood still, and came back to it.
                continue
            self._claimed.add(run_id)
            self._begin(run_id, claim.queued.slot.journey)
            place = Place(lane.places)
            try:
                await self._serve(claim, place, lane.queue)
            finally:
                place.give()
                self._claimed.discard(run_id)
                self._busy.end(run_id)

    async def drain(self) -> None:
        """Offer nothing more, skip what waits, and return when nothing runs."""
        self._draining = True
        async with self._deciding:
            waiting = [one for lane in self.lanes for one in await lane.queue.drain()]
        for queued in waiting:
            self._busy.end(queued.run_id)
            await self._ledger.skip(queued.run_id, queued.slot, SkipReason.SHUTDOWN)
        await self._busy.until_none()
        await self.beside.until_none()

    def admits(self, slot: Slot) -> Journey | None:
        """Return the journey that may be walked now, though ``slot`` is none of the schedule's."""
        journey = self.journeys.get(slot.journey)
        return journey if journey and self._obstacle(journey, slot, 0.0) is None else None

    async def lose(self, slot: Slot) -> Fate:
        """End a slot of which it isn't known what its walk elsewhere came to."""
        run_id, journey = ids.run_id(slot), self.journeys.get(slot.journey)
        fate = await self._ledger.start(run_id, slot)
        if fate is not Fate.WALK:
            return fate
        why = "the replica that walked it was lost"
        await self._walks.end_lost(Unfinished(run_id, slot, running=True), journey, why)
        return Fate.ENDED

    async def _place(self, decision: Decision) -> Decision:
        """Offer a slot to the queue, and return what was decided by its answer."""
        if not isinstance(decision, Offer):
            return decision
        slot, run_id = decision.slot, ids.run_id(decision.slot)
        if self._draining:
            return Skip(slot, SkipReason.SHUTDOWN)
        queue = self.lanes.of(self.journeys.get(slot.journey)).queue
        answer = await queue.offer(QueuedSlot(run_id, slot))
        if answer is Answer.FULL:
            return Skip(slot, SkipReason.CAPACITY)
        if answer is not Answer.TAKEN:
            return Elsewhere(slot)
        self._begin(run_id, slot.journey)
        return decision

    async def _serve(self, claim: Claim, place: Place, queue: Queue) -> None:
        queued = claim.queued
        try:
            async with held(queue, queued.run_id, self._clock):
                # Without a place: who is walked beside may rest, and wait for one again.
                began = self._clock.monotonic()
                await self.beside.until_over(queued.slot.journey)
                stood_back = self._clock.monotonic() - began
                # Who came back from a rest meanwhile may have it first.
                await place.take()
        except asyncio.CancelledError:
            await queue.release(queued.run_id)
            raise
        # From before it is admitted, so that whoever has all runs end misses none that begins.
        with self._engine.stops.enlisted(queued.slot.journey) as stop:
            try:
                async with self._deciding:
                    # Nothing more is said of a slot before the books have it.
                    journey = self.journeys.get(queued.slot.journey)
                stood_back += self._busy.stood_back(queued.run_id, self._gone(journey))
                fate = await self._admit(claim, journey, stood_back)
            except asyncio.CancelledError:
                await queue.release(queued.run_id)
                raise
            if journey is not None and fate is Fate.WALK:
                async with held(queue, queued.run_id, self._clock):
                    await self._walks.walk(queued, journey, place, stop)
        if fate is Fate.LEFT:
            await queue.release(queued.run_id)
        else:
            await queue.done(queued.run_id)

    async def _admit(self, claim: Claim, journey: Journey | None, stood_back: float) -> Fate:
        """Start a slot, or skip it.

        The seconds for which it ``stood_back``, for a walk beside it or for those ahead of the
        schedule, make it no later: somebody asked for that.
        """
        run_id, slot = claim.queued.run_id, claim.queued.slot
        if claim.again and not self._rerun:
            return await self.lose(slot)
        obstacle = self._obstacle(journey, slot, stood_back)
        if obstacle is None and claim.overrun:
            obstacle = SkipReason.OVERRUN
        if obstacle is not None:
            return await self._ledger.skip(run_id, slot, obstacle)
        return await self._ledger.start(run_id, slot)

    def _obstacle(
        self, journey: Journey | None, slot: Slot, stood_back: float
    ) -> SkipReason | None:
        """Return why a slot can't be run now; None: it can."""
        if self._draining:
            return SkipReason.SHUTDOWN
        late = self._timeline.now() - slot.scheduled_at - stood_back
        if journey is None or too_late(journey, late):
            return SkipReason.CAPACITY
        suspended = self._suspended(journey, self._clock.wall())
        if suspended is not None:
            return suspended
        free = free_memory()
        if journey.browser and free < ROOM:
            # A browser more would have the kernel kill one that measures.
            _log.error("slot.no_memory", action="skip", journey=journey.name, free=free, need=ROOM)
            return SkipReason.CAPACITY
        return None

    def _gone(self, journey: Journey | None) -> float:
        """Return for how many seconds walks have gone ahead of the schedule where it is walked."""
        return self.lanes.of(journey).ahead.seconds(self._clock.monotonic())

    def _begin(self, run_id: str, journey: str) -> None:
        self._busy.begin(run_id, journey, self._gone(self.journeys.get(journey)))
