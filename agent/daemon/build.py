"""Building the daemon's stations, each on the ones before it.

What has to be taken down again goes onto the stack in the order in which it comes up.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.core import names
from agent.core.errors import StateError
from agent.core.model import Slot
from agent.daemon.queries import Overview
from agent.daemon.readiness import Readiness
from agent.daemon.usage import Usage
from agent.loading import snapshot
from agent.loading.load import VERSION
from agent.pool.process_tree import kill_leftovers
from agent.queue.local import LocalQueue
from agent.runs import ledger
from agent.runs.dispatcher import Dispatcher
from agent.runs.engine import Engine, EngineOptions
from agent.runs.ledger import Ledger
from agent.schedule import skips, slots
from agent.schedule.repair import repair
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from agent.server.serving import listen
from agent.storage import runs
from agent.storage.database import Database
from agent.storage.folder import StateFolder
from agent.storage.reader import Reader
from agent.telemetry import telemetry
from agent.telemetry.delivery.export import export_of
from agent.telemetry.delivery.otel_variables import ignored
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.results import RunResult
    from agent.loading.load import Loaded

_log = structlog.get_logger("footfall.daemon")

_QUEUE_PER_WORKER = 8
_SCHEMAS = (
    slots.SCHEMA,
    skips.SCHEMA,
    runs.SCHEMA,
    telemetry.SCHEMA,
    ledger.SCHEMA,
)


@dataclass
class Told:
    """What the stations that walk tell, handed on to those that count."""

    telemetry: Telemetry
    ledger: Ledger
    restarts: set[asyncio.Task[None]] = field(default_factory=set)
    """Restarts of workers that are being written down."""

    def late(self, run: RunResult, seconds: float) -> None:
        """Hear how long after its slot a run started."""
        slot = Slot(run.journey.name, run.location, run.scheduled_at or run.started_at)
        self.telemetry.observe_lateness(slot, run.journey.site.name, seconds)

    def worker_restarted(self, reason: str) -> None:
        """Hear of a worker that was replaced."""
        _log.info("worker.replaced", action="restart", reason=reason)
        task = asyncio.create_task(self.ledger.restarted(reason))
        self.restarts.add(task)
        task.add_done_callback(self.restarts.discard)


@dataclass
class Stations:
    """What a running agent consists of."""

    database: Database
    telemetry: Telemetry
    ledger: Ledger
    queue: LocalQueue
    engine: Engine
    timeline: Timeline
    ticker: Ticker
    dispatcher: Dispatcher
    readiness: Readiness
    overview: Overview
    told: Told
    listening: socket.socket
    copies: Path
    """Where the copies of the journeys folder lie, of which one is walked."""
    folder: Path
    """The one that is."""
    usage: Usage


async def build(
    stack: AsyncExitStack, loaded: Loaded, environ: Mapping[str, str], clock: Clock
) -> Stations:
    """Build all of them and start the workers; nothing ticks yet, and nothing is sent.

    Raises:
        StateError: the state folder or the server's address can't be had.

    """
    settings = loaded.settings
    folder = StateFolder(settings.state)
    stack.callback(snapshot.drop, loaded.folder)
    agent_id = folder.acquire()
    stack.callback(folder.release)
    listening = _listen(settings)
    stack.callback(listening.close)
    left = kill_leftovers(agent_id)
    if left:
        _log.warning("leftovers.killed", action="start", processes=left)
    database = Database(folder.database, _SCHEMAS, clock, repair)
    await database.open()
    stack.push_async_callback(database.close)
    reader = Reader(folder.database)
    stack.callback(reader.close)
    sink = _telemetry(settings, environ, database, agent_id, clock)
    books = Ledger(database, sink, settings.location)
    queue = LocalQueue(settings.workers.count * _QUEUE_PER_WORKER)
    copies = folder.path / ".journeys"
    walked = snapshot.bring_home(loaded.folder, copies)
    stack.callback(snapshot.keep_only, copies, ())
    secret = config.secret_reader(settings, environ)
    told = Told(sink, books)
    options = EngineOptions(agent_id, adopt_orphans=True, on_restart=told.worker_restarted)
    engine = Engine(settings, folder, secret, clock, options, walked)
    engine.artifacts.clear_scratch()
    timeline = Timeline(clock, await books.decided_until())
    dispatcher = Dispatcher(engine, books, queue, timeline, clock, told.late)
    readiness = Readiness(
        engine, dispatcher, sink, database, settings.telemetry.spool_bytes, clock, loaded.broken
    )
    ticker = Ticker(settings.location)
    overview = Overview(settings.location, dispatcher, ticker, reader, clock)
    built = Stations(
        database,
        sink,
        books,
        queue,
        engine,
        timeline,
        ticker,
        dispatcher,
        readiness,
        overview,
        told,
        listening,
        copies,
        walked,
        Usage(),
    )
    _gauge(built)
    await engine.start()
    stack.push_async_callback(engine.stop)
    return built


def _listen(settings: Settings) -> socket.socket:
    """Take the server's address first of all: who can't have it need not start the rest."""
    server = settings.server
    try:
        return listen(server.host, server.port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise StateError(
            f"can't listen on {server.host}:{server.port}: {why}. "
            "Choose another `server.host` or `server.port`."
        ) from error


def _telemetry(
    settings: Settings, environ: Mapping[str, str], database: Database, agent_id: str, clock: Clock
) -> Telemetry:
    section = settings.telemetry
    export = export_of(section, environ)
    for variable in ignored(environ):
        _log.warning("variable.ignored", action="start", variable=variable.where)
    identity = ResourceInfo(VERSION, agent_id, settings.environment, settings.location)
    bounds = Bounds(size=section.spool_bytes, age=section.spool_age)
    return Telemetry(database, export, identity, clock, bounds)


def _gauge(built: Stations) -> None:
    """Have the agent's own gauges asked of the stations."""
    gauge = built.telemetry.gauge
    gauge(
        names.AGENT_WORKERS,
        lambda: [({"state": s}, n) for s, n in built.engine.pool.states().items()],
    )
    gauge(names.AGENT_QUEUE_DEPTH, lambda: [({}, built.queue.depth)])
    gauge(names.AGENT_MEMORY, lambda: [({}, built.usage.memory)])
    gauge(names.AGENT_PROCESSES, lambda: [({}, built.usage.processes)])
