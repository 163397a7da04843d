"""A slot that was admitted: its walk, and what is written down and told of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.core.clock import SteadyTime
from agent.core.model import Trigger
from agent.runs.conduct import interrupted
from agent.runs.run_events import log_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import RunResult
    from agent.pool.stops import Stop
    from agent.queue.seam import QueuedSlot
    from agent.runs.engine import Engine
    from agent.runs.followed import Followed
    from agent.runs.ledger import Ledger
    from agent.runs.places import Place
    from agent.schedule.slots import Unfinished
    from agent.schedule.timeline import Timeline
    from agent.storage.run_end import Turn

_log = structlog.get_logger("footfall.dispatch")


class SlotWalks:
    """Walks slots, each to its one word. ``on_late`` hears how late each run started."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        timeline: Timeline,
        clock: Clock,
        on_late: Callable[[RunResult, float], None],
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._timeline = timeline
        self._clock = clock
        self._on_late = on_late

    async def walk(self, queued: QueuedSlot, journey: Journey, place: Place, stop: Stop) -> None:
        """Walk a slot that has started, and write down what it came to."""
        late = self._timeline.now() - queued.slot.scheduled_at
        at = self._timeline.on_wall(queued.slot.scheduled_at)
        request = self._engine.request(journey, Trigger.SCHEDULE, queued.run_id, at)
        with self._engine.live.following(request, self._clock.wall()) as followed:
            await self._walk(followed, late, place, stop)

    async def end_lost(self, left: Unfinished, journey: Journey | None, why: str) -> None:
        """End a slot whose walk nobody hears of any more; one that never ran is forgotten."""
        if journey is None or not left.running:
            await self._ledger.forget(left)
            return
        now, at = self._clock.wall(), self._timeline.on_wall(left.slot.scheduled_at)
        request = self._engine.request(journey, Trigger.SCHEDULE, left.run_id, at)
        await self._finish(interrupted(request, min(at, now), now, why))
        name = journey.name
        _log.warning("run.lost", action="end", run_id=left.run_id, journey=name, error=why)

    async def _walk(self, followed: Followed, late: float, place: Place, stop: Stop) -> None:
        request = followed.request
        time = SteadyTime(self._clock)
        try:
            run = await self._engine.run(request, followed, place.lent, stop)
        except asyncio.CancelledError:
            why = "the agent was stopped under the run"
            run = interrupted(request, time.started_at, time.now(), why)
            turn = await self._finish(run)
            self._report(run, late, turn)
            raise
        except Exception as error:  # noqa: BLE001 - see below
            # A fault of the agent's own costs one run and is told; it must not cost the agent.
            name = request.journey.name
            _log.exception("run.failed", action="run", run_id=request.run_id, journey=name)
            why = f"the agent failed under the run: {error!r}"
            run = interrupted(request, time.started_at, time.now(), why)
        try:
            turn = await self._finish(run)
        except (ValueError, TypeError, LookupError) as error:
            # Something in this one run can't be written down; that must not cost the agent.
            _log.exception("run.unwritable", action="run", run_id=run.run_id)
            why = f"the run could not be written down: {error!r}"
            run = interrupted(request, time.started_at, time.now(), why)
            turn = await self._finish(run)
        self._report(run, late, turn)

    async def _finish(self, run: RunResult) -> Turn | None:
        return await self._ledger.finish(run, self._timeline.now(), self._clock.wall())

    def _report(self, run: RunResult, late: float, turn: Turn | None) -> None:
        """Tell of a run that came up for its worker ``late`` seconds after its slot."""
        if run.attempts:
            # A clock that was set in between must not pass for lateness.
            waited = run.attempts[0].started_at - run.started_at
            self._on_late(run, late + min(max(waited, 0.0), run.ended_at - run.started_at))
        log_run(run, turn)
        self._engine.live.ended(run, turn)
