"""The daemon: it starts every station, serves, and drains.

Data goes one way: schedule → slot table → queue → workers → judge → ledger → spool.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.core.errors import ConfigError, FootfallError, StateError
from agent.core.first_of import first_of
from agent.daemon.build import build
from agent.daemon.usage import measure
from agent.loading import snapshot
from agent.loading.load import load
from agent.pool.process_tree import become_subreaper
from agent.schedule.loop import run as run_schedule
from agent.server.app import create_app
from agent.server.connection import LimitedConnection
from agent.server.serving import port_of, serving

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from pathlib import Path

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.daemon.build import Stations
    from agent.schedule.decision import Decision

_log = structlog.get_logger("footfall.daemon")

_DRAIN = 20.0
"""Seconds that runs under way may take to end after SIGTERM."""
_ABORT = 2.0
"""Seconds for what is known of aborted runs to be written down."""
_FLUSH = 3.0
"""Seconds for the last delivery; what is left stays on disk."""
_HOUSEKEEPING = 60.0
_MEASURE = 10.0
"""Seconds between two looks at what the agent itself takes."""
_FIXED = ("location", "environment", "state", "workers", "telemetry", "artifacts", "server")
"""Sections that a reload can't change: stations were built on them."""


class Daemon:
    """One agent: ``run`` starts it, serves until told to stop, and drains."""

    def __init__(self, path: Path | None, environ: Mapping[str, str], clock: Clock) -> None:
        self._path = path
        self._environ = environ
        self._clock = clock
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._died = False
        self._started = False
        self._reloading = asyncio.Lock()
        self._at: Stations
        self._settings: Settings

    async def run(self) -> bool:
        """Serve until ``stop``; return whether all went to its end by itself.

        Raises:
            FootfallError: it could not be started.

        """
        async with self._stack:
            await self._start()
            await self._serve()
            return await self._drain()

    def stop(self) -> None:
        """Ask for the drain; the second time, for the end."""
        if self._stop.is_set():
            self._force.set()
        self._stop.set()

    async def reload(self) -> None:
        """Take up changed configuration and journeys, or refuse them whole and say why."""
        if not self._started or self._stop.is_set():
            _log.error("reload.refused", action="reload", error="the agent is starting or ending")
            return
        async with self._reloading:
            try:
                loaded = await load(self._path, self._environ, self._clock, self._at.copies)
                if loaded.broken:
                    raise ConfigError(loaded.broken)
                settings = loaded.settings
                self._refuse_fixed(settings)
                secret = config.secret_reader(settings, self._environ)
                self._at.engine.renew(settings, secret, loaded.folder)
            except (FootfallError, OSError) as error:
                _log.error("reload.refused", action="reload", error=str(error))
                snapshot.keep_only(self._at.copies, [self._at.folder])
                return
            # Walks under way may still import from the one before.
            snapshot.keep_only(self._at.copies, [self._at.folder, loaded.folder])
            self._at.folder = loaded.folder
            self._settings = settings
            self._at.readiness.broken = ()
            await self._adopt(loaded.journeys)
            told = [journey.name for journey in loaded.journeys]
            _log.info("reload.done", action="reload", journeys=told)

    # Start.

    async def _start(self) -> None:
        become_subreaper()
        # First of all, so that a start which is refused makes and changes nothing.
        loaded = await load(self._path, self._environ, self._clock)
        for one in loaded.broken:
            _log.error("journey.broken", action="start", where=one.where, error=one.message)
        for one in loaded.warnings:
            _log.warning("config.warning", action="start", where=one.where, error=one.message)
        self._settings = settings = loaded.settings
        self._at = at = await build(self._stack, loaded, self._environ, self._clock)
        await self._adopt(loaded.journeys, starting=True)
        await at.telemetry.start()
        self._stack.push_async_callback(at.telemetry.stop, _FLUSH)
        server = settings.server
        bound = (server.host, server.token.get_secret_value())
        artifacts = at.engine.artifacts.folder
        app = create_app(at.readiness.alive, at.readiness.ready, at.overview, artifacts, bound)
        serving_it = serving(app, at.listening, LimitedConnection)
        self._tasks.add(await self._stack.enter_async_context(serving_it))
        where = f"{server.host}:{port_of(at.listening)}"
        self._started = True
        _log.info("agent.started", action="start", journeys=len(loaded.journeys), server=where)

    async def _adopt(self, journeys: Sequence[Journey], *, starting: bool = False) -> None:
        """Let these journeys tick from now on, and no others."""
        self._at.dispatcher.journeys = {journey.name: journey for journey in journeys}
        await self._at.ledger.register_sites(
            {journey.name: journey.site.name for journey in journeys}
        )
        if starting:
            await self._at.dispatcher.settle_unfinished()
        decided = await self._at.ledger.last_decided()
        self._at.ticker.load(journeys, decided, self._at.timeline.now())
        await self._at.ledger.note_ticking(self._at.ticker.decided())
        self._at.telemetry.watch(journeys, self._at.ticker.gap)

    # Serve.

    async def _serve(self) -> None:
        """Turn the schedule and work off the queue until told to stop.

        A side task that dies stops the agent loudly: silence would be green.
        """
        dispatcher = self._at.dispatcher
        turning = run_schedule(
            self._clock, self._at.timeline, self._at.ticker, dispatcher.is_busy, self._carry_out
        )
        self._spawn(turning, "schedule")
        for number in range(self._settings.workers.count):
            self._spawn(dispatcher.work(), f"runner {number}")
        self._spawn(self._keep_house(), "housekeeping")
        self._spawn(self._watch_itself(), "usage")
        self._tasks.update(self._at.telemetry.tasks)
        self._tasks.add(self._at.engine.pool.monitor)
        stopped: asyncio.Task[object] = asyncio.create_task(self._stop.wait(), name="stop")
        done, _ = await asyncio.wait({stopped, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for task in done - {stopped}:
            error = None if task.cancelled() else task.exception()
            _log.critical("task.died", action="stop", task=task.get_name(), exc_info=error)
            self._died = True

    async def _carry_out(self, decisions: list[Decision]) -> None:
        self._at.readiness.ticked()
        await self._at.dispatcher.carry_out(decisions)

    async def _keep_house(self) -> None:
        while True:
            dropped = await asyncio.to_thread(self._at.engine.artifacts.sweep, self._clock.wall())
            if dropped:
                _log.info("artifacts.dropped", action="sweep", runs=dropped)
            await self._at.ledger.prune(self._at.timeline.now())
            await self._at.database.shrink()
            await self._clock.sleep(_HOUSEKEEPING)

    async def _watch_itself(self) -> None:
        while True:
            self._at.usage = await asyncio.to_thread(measure)
            await self._clock.sleep(_MEASURE)

    # Drain.

    async def _drain(self) -> bool:
        """Stop offering, let runs end, end the rest as not measured, write everything."""
        _log.info("drain.started", action="stop", running=self._at.dispatcher.running)
        drained = asyncio.create_task(self._at.dispatcher.drain())
        forced = asyncio.create_task(self._force.wait())
        await first_of(drained, forced, limit=_DRAIN)
        if not drained.done():
            await self._at.engine.abort("the agent was stopped under the run")
            await asyncio.wait({drained}, timeout=_ABORT)
        clean = drained.done() and not self._died
        # A disk that refuses must not hold up the end: what it didn't take is lost with a word.
        self._at.database.give_up()
        # The telemetry's own tasks end with it, after the last result is written.
        ending = [drained, forced, *(self._tasks - {*self._at.telemetry.tasks})]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, *self._at.told.restarts, return_exceptions=True)
        _log.info("drain.done", action="stop", clean=clean)
        return clean

    # Small helps.

    def _refuse_fixed(self, settings: Settings) -> None:
        now = self._settings
        changed = [name for name in _FIXED if getattr(settings, name) != getattr(now, name)]
        if changed:
            message = "can't be changed while the agent runs: restart it"
            raise StateError(f"{', '.join(changed)} {message}")

    def _spawn(self, work: Coroutine[object, object, object], name: str) -> None:
        self._tasks.add(asyncio.create_task(work, name=name))
