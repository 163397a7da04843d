"""The daemon: the composition root. It starts every station, serves, and drains.

Data goes one way: schedule → slot table → queue → workers → judge → ledger → spool.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from agent import config, ledger, names, snapshot
from agent.database import Database
from agent.dispatch import Dispatcher
from agent.engine import Engine, EngineOptions
from agent.errors import ConfigError, FootfallError, StateError
from agent.history import runs
from agent.http import listen, port_of, serving
from agent.intake import VERSION, take_in
from agent.ledger import Ledger
from agent.model import Slot
from agent.queue import local
from agent.queue.local import LocalQueue
from agent.readiness import Readiness
from agent.schedule import slots
from agent.schedule.loop import run as run_schedule
from agent.schedule.mending import mend
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from agent.server.health import create_health
from agent.state import StateFolder
from agent.telemetry import telemetry
from agent.telemetry.export import resolve as resolve_export
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.spool import Bounds
from agent.telemetry.telemetry import Telemetry
from agent.usage import Usage, measure
from agent.workers.tree import become_subreaper, kill_leftovers

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine, Mapping, Sequence
    from pathlib import Path

    from agent.clock import Clock
    from agent.config import Settings
    from agent.model import Journey, RunResult
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
_QUEUE_PER_WORKER = 8
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
        self._restarts: set[asyncio.Task[None]] = set()
        self._died = False
        self._started = False
        self._reloading = asyncio.Lock()
        self._copies: Path
        """Where the copies of the journeys folder lie, of which one is walked."""
        self._folder: Path
        self._database: Database
        self._engine: Engine
        self._readiness: Readiness
        self._usage = Usage()

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
                intake = await take_in(self._path, self._environ, self._clock, self._copies)
                if intake.broken:
                    raise ConfigError(intake.broken)
                settings = intake.settings
                self._refuse_fixed(settings)
                secret = config.secret_reader(settings, self._environ)
                self._engine.renew(settings, secret, intake.folder)
            except (FootfallError, OSError) as error:
                _log.error("reload.refused", action="reload", error=str(error))
                snapshot.keep_only(self._copies, [self._folder])
                return
            # Walks under way may still import from the one before.
            snapshot.keep_only(self._copies, [self._folder, intake.folder])
            self._folder = intake.folder
            self._settings = settings
            self._readiness.broken = ()
            await self._adopt(intake.journeys)
            told = [journey.name for journey in intake.journeys]
            _log.info("reload.done", action="reload", journeys=told)

    # Start.

    async def _start(self) -> None:
        become_subreaper()
        # First of all, so that a start which is refused makes and changes nothing.
        intake = await take_in(self._path, self._environ, self._clock)
        for one in intake.broken:
            _log.error("journey.broken", action="start", where=one.where, error=one.message)
        self._settings = settings = intake.settings
        folder = StateFolder(settings.state)
        self._stack.callback(snapshot.drop, intake.folder)
        agent_id = folder.claim()
        self._stack.callback(folder.release)
        listening = self._listen()
        self._stack.callback(listening.close)
        left = kill_leftovers(agent_id)
        if left:
            _log.warning("leftovers.killed", action="start", processes=left)
        self._database = database = Database(
            folder.database,
            (slots.SCHEMA, local.SCHEMA, runs.SCHEMA, telemetry.SCHEMA, ledger.SCHEMA),
            self._clock,
            mend,
        )
        await database.open()
        self._stack.push_async_callback(database.close)
        self._telemetry = self._create_telemetry(database, agent_id)
        self._ledger = Ledger(database, self._telemetry, settings.location)
        self._queue = LocalQueue(database, settings.workers.count * _QUEUE_PER_WORKER)
        self._copies = folder.path / ".journeys"
        self._folder = snapshot.bring_home(intake.folder, self._copies)
        self._stack.callback(snapshot.keep_only, self._copies, ())
        self._engine = Engine(
            settings,
            folder,
            config.secret_reader(settings, self._environ),
            self._clock,
            EngineOptions(agent_id, adopt_orphans=True, on_restart=self._worker_restarted),
            self._folder,
        )
        self._engine.artifacts.clear_scratch()
        await self._engine.start()
        self._stack.push_async_callback(self._engine.stop)
        self._timeline = Timeline(self._clock, await self._ledger.decided_until())
        self._ticker = Ticker(settings.location)
        self._dispatcher = Dispatcher(
            self._engine, self._ledger, self._queue, self._timeline, self._clock, self._late
        )
        spool_bytes = settings.telemetry.spool_bytes
        self._readiness = Readiness(
            self._engine,
            self._dispatcher,
            self._telemetry,
            database,
            spool_bytes,
            self._clock,
            intake.broken,
        )
        await self._adopt(intake.journeys, starting=True)
        await self._telemetry.start()
        self._stack.push_async_callback(self._telemetry.stop, _FLUSH)
        health = create_health(self._readiness.alive, self._readiness.ready)
        self._tasks.add(await self._stack.enter_async_context(serving(health, listening)))
        where = f"{settings.server.host}:{port_of(listening)}"
        self._started = True
        _log.info("agent.started", action="start", journeys=len(intake.journeys), server=where)

    def _create_telemetry(self, database: Database, agent_id: str) -> Telemetry:
        settings = self._settings
        section = settings.telemetry
        export = resolve_export(
            self._environ,
            endpoint=section.endpoint,
            protocol=section.protocol,
            headers={name: value.get_secret_value() for name, value in section.headers.items()},
            interval=section.interval,
        )
        identity = ResourceInfo(VERSION, agent_id, settings.environment, settings.location)
        bounds = Bounds(size=section.spool_bytes, age=section.spool_age)
        created = Telemetry(database, export, identity, self._clock, bounds)
        created.gauge(
            names.AGENT_WORKERS,
            lambda: [({"state": s}, n) for s, n in self._engine.pool.states().items()],
        )
        created.gauge(names.AGENT_QUEUE_DEPTH, lambda: [({}, self._queue.depth)])
        created.gauge(names.AGENT_MEMORY, lambda: [({}, self._usage.memory)])
        created.gauge(names.AGENT_PROCESSES, lambda: [({}, self._usage.processes)])
        return created

    async def _adopt(self, journeys: Sequence[Journey], *, starting: bool = False) -> None:
        """Let these journeys tick from now on, and no others."""
        self._dispatcher.journeys = {journey.name: journey for journey in journeys}
        await self._ledger.know({journey.name: journey.site.name for journey in journeys})
        if starting:
            await self._dispatcher.settle_unfinished()
        decided = await self._ledger.last_decided()
        self._ticker.load(journeys, decided, self._timeline.now())
        await self._ledger.settle(self._ticker.decided())
        self._telemetry.watch(journeys, self._ticker.gap)

    def _listen(self) -> socket.socket:
        """Take the server's address first of all: who can't have it need not start the rest."""
        server = self._settings.server
        try:
            return listen(server.host, server.port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise StateError(
                f"can't listen on {server.host}:{server.port}: {why}. "
                "Choose another `server.host` or `server.port`."
            ) from error

    # Serve.

    async def _serve(self) -> None:
        """Turn the schedule and work off the queue until told to stop.

        A side task that dies stops the agent loudly: silence would be green.
        """
        dispatcher = self._dispatcher
        turning = run_schedule(
            self._clock, self._timeline, self._ticker, dispatcher.is_busy, self._carry_out
        )
        self._spawn(turning, "schedule")
        for number in range(self._settings.workers.count):
            self._spawn(dispatcher.work(), f"runner {number}")
        self._spawn(self._keep_house(), "housekeeping")
        self._spawn(self._watch_itself(), "usage")
        self._tasks.update(self._telemetry.tasks)
        self._tasks.add(self._engine.pool.monitor)
        stopped: asyncio.Task[object] = asyncio.create_task(self._stop.wait(), name="stop")
        done, _ = await asyncio.wait({stopped, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for task in done - {stopped}:
            error = None if task.cancelled() else task.exception()
            _log.critical("task.died", action="stop", task=task.get_name(), exc_info=error)
            self._died = True

    async def _carry_out(self, decisions: list[Decision]) -> None:
        self._readiness.ticked()
        await self._dispatcher.carry_out(decisions)

    async def _keep_house(self) -> None:
        while True:
            dropped = await asyncio.to_thread(self._engine.artifacts.sweep, self._clock.wall())
            if dropped:
                _log.info("artifacts.dropped", action="sweep", runs=dropped)
            await self._ledger.prune(self._timeline.now())
            await self._database.shrink()
            await self._clock.sleep(_HOUSEKEEPING)

    async def _watch_itself(self) -> None:
        while True:
            self._usage = await asyncio.to_thread(measure)
            await self._clock.sleep(_MEASURE)

    # Drain.

    async def _drain(self) -> bool:
        """Stop offering, let runs end, end the rest as not measured, write everything."""
        _log.info("drain.started", action="stop", running=self._dispatcher.running)
        drained = asyncio.create_task(self._dispatcher.drain())
        forced = asyncio.create_task(self._force.wait())
        await asyncio.wait({drained, forced}, timeout=_DRAIN, return_when=asyncio.FIRST_COMPLETED)
        if not drained.done():
            await self._engine.abort("the agent was stopped under the run")
            await asyncio.wait({drained}, timeout=_ABORT)
        clean = drained.done() and not self._died
        # A disk that refuses must not hold up the end: what it didn't take is lost with a word.
        self._database.give_up()
        # The telemetry's own tasks end with it, after the last result is written.
        ending = [drained, forced, *(self._tasks - {*self._telemetry.tasks})]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, *self._restarts, return_exceptions=True)
        _log.info("drain.done", action="stop", clean=clean)
        return clean

    # What others tell.

    def _late(self, run: RunResult, seconds: float) -> None:
        slot = Slot(run.journey.name, run.location, run.scheduled_at or run.started_at)
        self._telemetry.observe_lateness(slot, run.journey.site.name, seconds)

    def _worker_restarted(self, reason: str) -> None:
        _log.info("worker.replaced", action="restart", reason=reason)
        task = asyncio.create_task(self._ledger.restarted(reason))
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    def _refuse_fixed(self, settings: Settings) -> None:
        now = self._settings
        changed = [name for name in _FIXED if getattr(settings, name) != getattr(now, name)]
        if changed:
            message = "can't be changed while the agent runs: restart it"
            raise StateError(f"{', '.join(changed)} {message}")

    def _spawn(self, work: Coroutine[object, object, object], name: str) -> None:
        self._tasks.add(asyncio.create_task(work, name=name))
