"""Runs by hand: what people ask for over the API, walked between the schedule's.

They count for nothing but themselves: no metric, no incident, not how their journey stands.
Spans and the log record are sent, with the trigger ``api``.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agent.core import ids
from agent.core.clock import SteadyTime
from agent.core.errors import ErrorType, StateError
from agent.core.model import Trigger
from agent.pool.memory import free_memory
from agent.runs.conduct import interrupted
from agent.runs.dispatcher import ROOM
from agent.runs.document import document
from agent.runs.places import Place
from agent.runs.run_events import log_run
from agent.runs.walk_record import walk_record
from agent.storage import asked_runs, walks

if TYPE_CHECKING:
    import sqlite3

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import RunResult
    from agent.pool.stops import Stop
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.engine import Engine
    from agent.runs.followed import Followed
    from agent.runs.request import RunRequest
    from agent.storage.database import Database
    from agent.telemetry.telemetry import Telemetry

_log = structlog.get_logger("footfall.dispatch")

_LOOKS_EVERY = 0.1
"""Seconds between two looks for a worker that the schedule leaves free."""
_BEFORE = "the agent was stopped before the run began"
_UNDER = "the agent was stopped under the run"
_GONE = "the journey is no longer loaded, or no longer enabled"


class RunsByHand:
    """One a journey at a time. The schedule goes first, and no journey overlaps itself."""

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        database: Database,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._database = database
        self._telemetry = telemetry
        self._clock = clock
        self._under_way: dict[str, Followed] = {}
        """By journey."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False

    def of(self, journey: str) -> str | None:
        """Return the id of the run of a journey that waits or goes on."""
        followed = self._under_way.get(journey)
        return followed.request.run_id if followed else None

    async def ask(self, journey: Journey) -> RunRequest:
        """Have a journey walked that none is under way of; answers once that is written down."""
        now = self._clock.wall()
        request = self._engine.request(journey, Trigger.API, ids.fresh_run_id(now), None)
        self._under_way[journey.name] = self._engine.live.follow(request, now)
        try:
            await self._database.transaction(
                lambda connection: asked_runs.ask(connection, request.run_id, journey.name, now)
            )
        except BaseException:
            self._drop(journey.name)
            raise
        task = asyncio.create_task(self._see_to(request), name=f"by hand {journey.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return request

    async def end_unfinished(self) -> None:
        """End the runs that a killed predecessor left: nobody else will."""
        now = self._clock.wall()
        for run_id, name, asked_at in await self._database.transaction(asked_runs.unfinished):
            journey = self._dispatcher.journeys.get(name)
            if journey is None:
                await self._database.transaction(partial(asked_runs.forget, run_id=run_id))
                continue
            request = self._engine.request(journey, Trigger.API, run_id, None)
            why = "the agent died under the run"
            await self._finish(interrupted(request, min(asked_at, now), now, why))

    def drain(self) -> None:
        """End what waits; what is walked may come to its end, see ``Beside.until_none``."""
        self._ending = True

    async def cancel(self) -> None:
        """Break off what still runs, and return when it is written down."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _see_to(self, request: RunRequest) -> None:
        name = request.journey.name
        place = Place(self._dispatcher.lanes.of(request.journey).places)
        try:
            # While it waits too: who has all walks end must not see one begin afterwards.
            with self._engine.stops.enlisted(name) as stop:
                if why := await self._wait(request, place, stop):
                    await self._finish(self._cut(request, SteadyTime(self._clock), why))
                elif stop.is_asked:
                    cut = self._cut(request, SteadyTime(self._clock), stop.why)
                    await self._finish(replace(cut, error_type=ErrorType.STOPPED))
                else:
                    # As it is by now, since so is what a worker imports.
                    request = replace(request, journey=self._dispatcher.journeys[name])
                    with self._dispatcher.beside.walking(name):
                        await self._walk(request, place, stop)
        finally:
            place.give()
            self._drop(name)

    async def _wait(self, request: RunRequest, place: Place, stop: Stop) -> str:
        """Wait for a worker's place; return why the run won't be walked, or nothing.

        Nothing too where ``stop`` is asked meanwhile.
        """
        name = request.journey.name
        try:
            while not (why := self._obstacle(name)) and not stop.is_asked:
                if self._takes(request.journey, place):
                    break
                await self._clock.sleep(_LOOKS_EVERY)
        except asyncio.CancelledError:
            await self._finish(self._cut(request, SteadyTime(self._clock), _BEFORE))
            raise
        return why

    def _obstacle(self, name: str) -> str:
        """Return why a run that waits won't be walked any more."""
        journey = self._dispatcher.journeys.get(name)
        if journey is None or not journey.enabled:
            return _GONE
        return _BEFORE if self._ending else ""

    def _takes(self, journey: Journey, place: Place) -> bool:
        """Take a worker's place where nothing of the schedule waits for it; return whether."""
        dispatcher = self._dispatcher
        return (
            not dispatcher.is_busy(journey.name)
            and not dispatcher.beside.is_walking(journey.name)
            and not dispatcher.lanes.of(journey).queue.depth
            and (not journey.browser or free_memory() >= ROOM)
            and place.take_if_free()
        )

    async def _walk(self, request: RunRequest, place: Place, stop: Stop) -> None:
        followed = self._under_way[request.journey.name]
        followed.begin()
        time = SteadyTime(self._clock)
        try:
            run = await self._engine.run(request, followed, place.lent, stop)
            await self._finish(run)
        except asyncio.CancelledError:
            await self._finish(self._cut(request, time, _UNDER))
            raise
        except StateError:
            # The agent is ending, and the disk takes no more; the next start ends the run.
            _log.warning("run.unwritten", action="run", run_id=request.run_id)
        except Exception as error:  # noqa: BLE001 - see below
            # A fault of the agent's own costs one run and is told; it must not cost the agent.
            _log.exception("run.failed", action="run", run_id=request.run_id)
            why = f"the agent failed under the run: {error!r}"
            await self._finish(self._cut(request, time, why))

    @staticmethod
    def _cut(request: RunRequest, time: SteadyTime, why: str) -> RunResult:
        return interrupted(request, time.started_at, time.now(), why)

    async def _finish(self, run: RunResult) -> None:
        """Write down a run that is over, with its spans and its log record."""
        public, packed = document(run), walks.pack(walk_record(run))

        def write(connection: sqlite3.Connection) -> None:
            asked_runs.end(connection, public, packed)
            self._telemetry.record_run(connection, run)

        await self._database.transaction(write)
        self._telemetry.observe_run(run)
        log_run(run, None)
        self._engine.live.ended(run, None)

    def _drop(self, journey: str) -> None:
        self._engine.live.drop(self._under_way.pop(journey))
