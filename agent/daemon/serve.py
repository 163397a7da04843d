"""The daemon: it starts every station, serves, and drains.

Data goes one way: schedule → slot table → queue → workers → judge → ledger → spool.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agent.core.clock import SteadyTime
from agent.core.errors import ConfigError
from agent.core.first_of import first_of
from agent.daemon import clock_watch
from agent.daemon.adopt import adopt
from agent.daemon.build import build
from agent.daemon.control import Controls
from agent.daemon.drain import drain
from agent.daemon.in_force import ConfigSource
from agent.loading import snapshot
from agent.loading.load import load
from agent.loading.warnings import token_missing
from agent.pool.process_tree import become_subreaper
from agent.schedule.loop import run as run_schedule
from agent.server.app import MoreRoutes, create_app
from agent.server.connection import LimitedConnection
from agent.server.control import Refused
from agent.server.deploys import deploy_routes
from agent.server.health import health_routes
from agent.server.public.public_app import create_public_app
from agent.server.serving import port_of, serving

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from pathlib import Path

    from agent.core.clock import Clock
    from agent.daemon.stations import Stations
    from agent.schedule.decision import Decision

_log = structlog.get_logger("footfall.daemon")

_FLUSH = 3.0
"""Seconds for the last delivery; what is left stays on disk."""
_HOUSEKEEPING = 60.0


class Daemon:
    """One agent: ``run`` starts it, serves until told to stop, and drains."""

    def __init__(self, path: Path | None, environ: Mapping[str, str], clock: Clock) -> None:
        self._source = ConfigSource(path, environ)
        self._clock = clock
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._controls: Controls | None = None
        """None until it serves."""

    async def run(self) -> bool:
        """Serve until ``stop``; return whether all went to its end by itself.

        Raises:
            FootfallError: it could not be started.

        """
        async with self._stack:
            stations, controls = await self._start()
            died = await self._serve(stations)
            controls.end()
            stations.streams.end()
            clean = await drain(stations, self._tasks, self._force) and not died
            _log.info("drain.done", action="stop", clean=clean)
            return clean

    def stop(self) -> None:
        """Ask for the drain; the second time, for the end."""
        if self._stop.is_set():
            self._force.set()
        self._stop.set()

    async def reload(self) -> None:
        """Take up changed configuration and journeys, or refuse them whole and log why."""
        if self._controls is None:
            _log.error("reload.refused", action="reload", error="the agent is starting")
            return
        with suppress(Refused):
            await self._controls.reload()

    # Start.

    async def _start(self) -> tuple[Stations, Controls]:
        become_subreaper()
        # First of all, so that a start which is refused makes and changes nothing.
        loaded = await load(self._source.path, self._source.environ, self._clock)
        if missing := [*token_missing(loaded.settings)]:
            snapshot.drop(loaded.folder)
            raise ConfigError(missing)
        for one in loaded.broken:
            _log.error("journey.broken", action="start", where=one.where, error=one.message)
        stations = await build(self._stack, loaded, self._source.environ, self._clock)
        await adopt(stations, self._clock.wall())
        await stations.telemetry.start()
        self._stack.push_async_callback(stations.telemetry.stop, _FLUSH)
        server = loaded.settings.server
        readiness, artifacts = stations.readiness, stations.engine.artifacts.folder
        controls = Controls(stations, self._source, self._clock)
        app = create_app(
            health_routes(readiness.alive, readiness.ready),
            stations.overview,
            controls,
            artifacts,
            stations.access,
            stations.entrance,
            stations.streams,
            MoreRoutes(
                stations.gates,
                api=deploy_routes(stations.deploys),
                adapters=stations.tools.routes(stations.gates, stations.deploys),
            ),
        )
        serving_it = serving(app, stations.listening, LimitedConnection)
        self._tasks.add(await self._stack.enter_async_context(serving_it))
        if stations.shown is not None:
            page = create_public_app(stations.overview, self._clock)
            serving_page = serving(page, stations.shown, LimitedConnection)
            self._tasks.add(await self._stack.enter_async_context(serving_page))
        where = f"{server.host}:{port_of(stations.listening)}"
        self._controls = controls
        _log.info("agent.started", action="start", journeys=len(loaded.journeys), server=where)
        return stations, controls

    # Serve.

    async def _serve(self, stations: Stations) -> bool:
        """Turn the schedule and work off the queue until told to stop.

        A side task that dies stops the agent loudly: silence would be green.

        Returns:
            Whether one died.

        """
        dispatcher = stations.dispatcher

        async def carry_out(decisions: list[Decision]) -> None:
            stations.readiness.ticked()
            stations.switch.tick(stations.in_force.now.journeys)
            await dispatcher.carry_out(decisions)
            now = stations.timeline.now()
            due = stations.ticker.closer(now, stations.closer_runs.room)
            stations.closer_runs.begin(due, stations.ticker.next_due(), now)

        turning = run_schedule(
            self._clock, stations.timeline, stations.ticker, dispatcher.obstacle, carry_out
        )
        self._spawn(turning, "schedule")
        for lane in dispatcher.lanes:
            for number in range(lane.runners):
                self._spawn(dispatcher.work(lane), f"runner {number}")
        self._spawn(self._keep_house(stations), "housekeeping")
        self._spawn(stations.usage.watch(self._clock), "usage")
        self._spawn(clock_watch.watch(self._clock, partial(_set_back, stations)), "clock")
        self._spawn(stations.sign_outs.run(), "sign-outs")
        if (replica := stations.replica) is not None:
            for name, work in replica.tasks(stations.switch.heard).items():
                self._spawn(work, name)
        if stations.shared is not None:
            for name, work in stations.shared.tasks().items():
                self._spawn(work, name)
        self._tasks.update(stations.telemetry.tasks)
        self._tasks.update(stations.engine.pools.monitors)
        await first_of(self._stop.wait(), *self._tasks)
        died = [task for task in self._tasks if task.done()]
        for task in died:
            error = None if task.cancelled() else task.exception()
            _log.critical("task.died", action="stop", task=task.get_name(), exc_info=error)
        return bool(died)

    async def _keep_house(self, stations: Stations) -> None:
        steady = SteadyTime(self._clock)
        while True:
            # A clock that was set forward makes nothing old.
            now = min(self._clock.wall(), steady.now())
            dropped = await asyncio.to_thread(stations.engine.artifacts.sweep, now)
            if dropped:
                _log.info("artifacts.dropped", action="sweep", runs=dropped)
            await stations.ledger.prune(stations.timeline.now())
            await stations.database.shrink()
            await self._clock.sleep(_HOUSEKEEPING)

    def _spawn(self, work: Coroutine[object, object, object], name: str) -> None:
        self._tasks.add(asyncio.create_task(work, name=name))


async def _set_back(stations: Stations, seconds: float, now: float) -> None:
    """Have what was noted go along with a wall clock that was set back."""
    await stations.ledger.set_back(seconds, now)
    stations.suspensions.pauses.settle(now)
