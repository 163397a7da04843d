"""Closer runs: a journey that failed, walked between its slots until it is well again.

They are the schedule's, but none of its slots: they move how the journey stands, and no count
of runs, of expected ones or of uptime, since an outage would weigh more for being watched.
The schedule goes first: one begins only where it is done before the next slot, and never takes
the last worker from a slot of another journey.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agent.core import ids
from agent.core.model import Trigger
from agent.core.results import Result
from agent.queue.shared import Away
from agent.runs.places import Place
from agent.runs.run_events import log_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import RunResult
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.engine import Engine
    from agent.runs.ledger import Ledger
    from agent.schedule.decision import Closer
    from agent.schedule.timeline import Timeline

_log = structlog.get_logger("footfall.dispatch")

_SPARE = 2
"""Free workers with which one may be taken, whatever is due next."""


class CloserRuns:
    """Begins and follows them. ``on_run`` hears of each that counts."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        dispatcher: Dispatcher,
        timeline: Timeline,
        clock: Clock,
        on_run: Callable[[RunResult], None],
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._timeline = timeline
        self._clock = clock
        self._on_run = on_run
        self._tasks: set[asyncio.Task[None]] = set()

    def room(self, journey: Journey) -> float | None:
        """Return the seconds that one of a journey needs before the next slot; None: none runs.

        After a fail that is one attempt: where there is no room to confirm another, the fail
        before it stands for that. After the first pass it is all that a fail would take.
        """
        failures = self._ledger.watched.get(journey.name)
        beside = self._dispatcher.beside
        if (
            failures is None
            or self._dispatcher.is_busy(journey.name)
            or beside.is_walking(journey.name)
        ):
            return None
        once = journey.timeout + journey.grace
        confirmed = not failures and journey.confirm
        return 2 * once + journey.confirm_after if confirmed else once

    def begin(self, due: Sequence[Closer], next_slot: float, now: float) -> None:
        """Begin those that are due, where a worker is free for them.

        ``next_slot`` is when the next one of any journey is due, both on the timeline.
        """
        for closer in due:
            name = closer.slot.journey
            journey = self._dispatcher.admits(closer.slot)
            if journey is None:
                continue
            places = self._dispatcher.lanes.of(journey).places
            last_worker = places.free < _SPARE
            if last_worker and now + journey.timeout + journey.grace > next_slot:
                continue
            place = Place(places)
            if place.take_if_free():
                held = ExitStack()
                held.callback(place.give)
                # At once, so that nobody else begins one before the task does.
                held.enter_context(self._dispatcher.beside.walking(name))
                task = asyncio.create_task(self._run(closer, journey, place), name=f"closer {name}")
                self._tasks.add(task)
                task.add_done_callback(partial(self._ended, held))

    async def cancel(self) -> None:
        """Break off what still runs; it leaves nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, held: ExitStack, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        held.close()

    async def _run(self, closer: Closer, journey: Journey, place: Place) -> None:
        run_id = ids.fresh_run_id(self._clock.wall())
        at = self._timeline.on_wall(closer.slot.scheduled_at)
        request = self._engine.request(journey, Trigger.SCHEDULE, run_id, at)
        request = replace(request, closer_within=closer.room)
        live = self._engine.live
        with (
            self._engine.stops.enlisted(journey.name) as stop,
            live.following(request, self._clock.wall()) as followed,
        ):
            try:
                run = await self._engine.run(request, followed, place.lent, stop)
                if self._counts(run):
                    at, now = self._timeline.now(), self._clock.wall()
                    turn = await self._ledger.finish_closer(run, at, now)
                    self._on_run(run)
                    log_run(run, turn)
                else:
                    turn = None
                    _log.info("run.unconfirmed", action="run", run_id=run_id, journey=journey.name)
                live.ended(run, turn)
            except Away as error:
                # It has no slot that would miss it.
                _log.info("run.uncounted", action="run", run_id=run_id, error=str(error))
            except Exception:  # noqa: BLE001 - a fault of the agent's own costs this run alone
                _log.exception("run.failed", action="run", run_id=run_id, journey=journey.name)

    def _counts(self, run: RunResult) -> bool:
        """Whether a run says anything: a fail after a pass has to be confirmed, as any first one.

        There was room for that, and a browser that was slow to start may have taken it.
        """
        confirmed = len(run.attempts) > 1 or not run.journey.confirm
        after_a_fail = self._ledger.watched.get(run.journey.name, 0) > 0
        return run.result is not Result.FAIL or confirmed or after_a_fail
