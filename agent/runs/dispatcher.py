"""From a slot on offer to its one word: queueing, running, and the drain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.core.model import SkipReason, Trigger
from agent.pool.memory import free_memory
from agent.runs.conduct import interrupted
from agent.runs.listener import Watcher
from agent.schedule.decision import Offer, Skip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import RunResult
    from agent.queue.local import Claim, LocalQueue
    from agent.runs.engine import Engine
    from agent.runs.ledger import Ledger
    from agent.schedule.decision import Decision
    from agent.schedule.timeline import Timeline

_log = structlog.get_logger("footfall.dispatch")

_ROOM = 256 * 1024**2
"""Bytes that must be free for a run to start: what a browser takes beside an idle worker."""
_MOST_LATE = 300.0
"""Seconds that a slot may wait in the queue at most; half its interval, where that is less."""


class Dispatcher:
    """Carries out what the schedule decides. ``on_late`` hears how late each run started."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        queue: LocalQueue,
        timeline: Timeline,
        clock: Clock,
        on_late: Callable[[RunResult, float], None],
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._queue = queue
        self._timeline = timeline
        self._clock = clock
        self._on_late = on_late
        self._busy: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self.journeys: Mapping[str, Journey] = {}
        """The journeys that may run, by name."""

    def is_busy(self, journey: str) -> bool:
        """Whether a slot of this journey waits or runs."""
        return journey in self._busy

    @property
    def running(self) -> int:
        """How many slots wait or run."""
        return len(self._busy)

    async def settle_unfinished(self) -> None:
        """Give a word to every slot that a killed predecessor left without one."""
        await self._queue.clear()
        now = self._clock.wall()
        for left in await self._ledger.unfinished():
            journey = self.journeys.get(left.slot.journey)
            if journey is None or not left.running:
                await self._ledger.forget(left)
                continue
            at = left.slot.scheduled_at
            request = self._engine.request(journey, Trigger.SCHEDULE, left.run_id, at)
            run = interrupted(request, min(at, now), now, "the agent died under the run")
            await self._ledger.finish(run)
            _log.warning("run.lost", action="start", run_id=left.run_id, journey=journey.name)

    async def carry_out(self, decisions: list[Decision]) -> None:
        """Write down what the schedule decided, and queue what it offered."""
        if not decisions:
            return
        if self._draining:
            decisions = [
                Skip(one.slot, SkipReason.SHUTDOWN) if isinstance(one, Offer) else one
                for one in decisions
            ]
        for offered in await self._ledger.decide(decisions):
            if self._draining:
                # The drain has emptied the queue while this was written down.
                await self._ledger.skip(offered.run_id, offered.slot, SkipReason.SHUTDOWN)
                continue
            self._begin(offered.slot.journey)
            if not await self._queue.offer(offered.run_id, offered.slot):
                self._end(offered.slot.journey)
                await self._ledger.skip(offered.run_id, offered.slot, SkipReason.CAPACITY)

    async def work(self) -> None:
        """Run queued slots one after the other, for ever; several of these may work at once."""
        while True:
            claim = await self._queue.claim()
            try:
                await self._run(claim)
            finally:
                self._end(claim.slot.journey)
                await self._queue.done(claim.run_id)

    async def drain(self) -> None:
        """Offer nothing more, skip what waits, and return when nothing runs."""
        self._draining = True
        for claim in await self._queue.drain():
            self._end(claim.slot.journey)
            await self._ledger.skip(claim.run_id, claim.slot, SkipReason.SHUTDOWN)
        await self._idle.wait()

    async def _run(self, claim: Claim) -> None:
        slot = claim.slot
        journey = self.journeys.get(slot.journey)
        late = self._timeline.now() - slot.scheduled_at
        if journey is None or late > min(journey.interval / 2, _MOST_LATE):
            await self._ledger.skip(claim.run_id, slot, SkipReason.CAPACITY)
            return
        free = free_memory()
        if free < _ROOM:
            # A browser more would have the kernel kill one that measures.
            _log.error("slot.no_memory", action="skip", journey=journey.name, free=free, need=_ROOM)
            await self._ledger.skip(claim.run_id, slot, SkipReason.CAPACITY)
            return
        if not await self._ledger.start(claim.run_id):
            return
        at = slot.scheduled_at
        request = self._engine.request(journey, Trigger.SCHEDULE, claim.run_id, at)
        started_at = self._clock.wall()
        try:
            run = await self._engine.run(request, Watcher(request, self._engine.secret))
        except asyncio.CancelledError:
            why = "the agent was stopped under the run"
            run = interrupted(request, started_at, self._clock.wall(), why)
            await self._ledger.finish(run)
            self._tell(run, at)
            raise
        except Exception as error:  # noqa: BLE001 - see below
            # A fault of the agent's own costs one run and is told; it must not cost the agent.
            _log.exception("run.failed", action="run", run_id=claim.run_id, journey=journey.name)
            why = f"the agent failed under the run: {error!r}"
            run = interrupted(request, started_at, self._clock.wall(), why)
        try:
            await self._ledger.finish(run)
        except (ValueError, TypeError, LookupError) as error:
            # Something in this one run can't be written down; that must not cost the agent.
            _log.exception("run.unwritable", action="run", run_id=run.run_id)
            why = f"the run could not be written down: {error!r}"
            run = interrupted(request, started_at, self._clock.wall(), why)
            await self._ledger.finish(run)
        self._tell(run, at)

    def _tell(self, run: RunResult, scheduled_at: float) -> None:
        if run.attempts:
            # On the schedule's own time, which a clock set back doesn't turn around.
            ago = self._clock.wall() - run.attempts[0].started_at
            self._on_late(run, self._timeline.now() - ago - scheduled_at)
        _log.info(
            "run.finished",
            action="run",
            run_id=run.run_id,
            journey=run.journey.name,
            site=run.journey.site.name,
            trace_id=run.trace_id,
            result=run.result.value,
            error_type=run.error_type.value if run.error_type else None,
            error=run.error.partition("\n")[0] or None,
            duration=round(run.duration, 3),
            attempts=len(run.attempts),
        )

    def _begin(self, journey: str) -> None:
        self._busy.add(journey)
        self._idle.clear()

    def _end(self, journey: str) -> None:
        self._busy.discard(journey)
        if not self._busy:
            self._idle.set()
