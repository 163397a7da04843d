"""Building the daemon's stations, each on the ones before it.

What has to be taken down again goes onto the stack in the order in which it comes up.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.daemon.agent_document import AgentReport
from agent.daemon.deploy_book import DeployBook
from agent.daemon.deploy_tools import DeployTools
from agent.daemon.event_sink import EventSink
from agent.daemon.in_force import InForce
from agent.daemon.present import Present
from agent.daemon.queries import Overview, Reported
from agent.daemon.readiness import Readiness
from agent.daemon.replica import open_replica
from agent.daemon.replica_report import ReplicaReport
from agent.daemon.shared_slots import share_slots
from agent.daemon.stations import Stations
from agent.daemon.suspension_report import SuspensionReport
from agent.daemon.switch import Switch
from agent.daemon.usage import UsageMeter
from agent.daemon.way_in import (
    access_of,
    entrance_of,
    listening_on,
    public_listening,
    sign_outs_of,
)
from agent.daemon.wiring import gauge, join
from agent.gates.books import Books
from agent.gates.course import Road
from agent.gates.gates import Gates
from agent.loading import snapshot
from agent.loading.load import VERSION
from agent.pool.process_tree import kill_leftovers
from agent.queue.local import LocalQueue
from agent.runs import ledger
from agent.runs.by_hand import RunsByHand
from agent.runs.closer_runs import CloserRuns
from agent.runs.dispatcher import Dispatcher
from agent.runs.engine import Engine, EngineOptions
from agent.runs.lanes import Lane, Lanes
from agent.runs.last_passes import LastPasses
from agent.runs.ledger import Ledger
from agent.runs.places import Places
from agent.runs.replicated import pending_words
from agent.schedule import pause_record, slots
from agent.schedule.maintenance import Window
from agent.schedule.pauses import Pauses
from agent.schedule.repair import repair
from agent.schedule.suspensions import Suspensions
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from agent.server.event_streams import EventStreams
from agent.server.serving import port_of
from agent.storage import asked_runs, gates, incidents, runs, sign_outs
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
    import sqlite3
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.results import RunResult
    from agent.loading.load import Loaded

_log = structlog.get_logger("footfall.daemon")

_QUEUE_PER_WORKER = 8
_CALLS_PER_WORKER = 64
"""Slots that may wait for a worker: a walk in a browser takes seconds, one without some of them."""
_SCHEMAS = (
    slots.SCHEMA,
    runs.SCHEMA,
    asked_runs.SCHEMA,
    gates.SCHEMA,
    telemetry.SCHEMA,
    ledger.SCHEMA,
    pending_words.SCHEMA,
    sign_outs.SCHEMA,
)


async def build(
    stack: AsyncExitStack, loaded: Loaded, environ: Mapping[str, str], clock: Clock
) -> Stations:
    """Build all of them and start the workers; nothing ticks yet, and nothing is sent.

    Raises:
        StateError: the state folder or the server's address can't be had.

    """
    settings, place = loaded.settings, loaded.settings.location
    folder = StateFolder(settings.state)
    stack.callback(snapshot.drop, loaded.folder)
    agent_id = folder.acquire()
    stack.callback(folder.release)
    listening = listening_on(settings.server.host, settings.server.port, "")
    stack.callback(listening.close)
    shown = public_listening(settings, stack)
    access = access_of(settings, folder, port_of(listening))
    _clear(agent_id)
    database = Database(folder.database, _SCHEMAS, clock, _repair)
    await database.open()
    stack.push_async_callback(database.close)
    reader = stack.enter_context(closing(Reader(folder.database)))
    sink = _telemetry(settings, environ, database, agent_id, clock)
    suspensions = _suspensions(loaded, folder, sink, clock)
    replica = await open_replica(
        stack, loaded, agent_id, port_of(listening), database, suspensions.pauses, clock
    )
    left = await sign_outs_of(database, replica, clock)
    shared = await share_slots(stack, replica, loaded, database, sink, suspensions.known, clock)
    books = shared.ledger if shared else Ledger(database, sink, place, suspensions.known)
    lanes = shared.lanes if shared else _lanes(settings.workers.count)
    in_force = InForce(loaded, folder.path / ".journeys", clock.wall())
    stack.callback(in_force.drop)
    secret = config.secret_reader(settings, environ)
    events = EventSink(sink, books)
    streams = EventStreams()
    options = EngineOptions(
        agent_id,
        adopt_orphans=True,
        last_passes=LastPasses(reader, place),
        on_restart=events.on_worker_replaced,
        on_progress=streams.publish,
    )
    engine = Engine(settings, folder, secret, clock, options, in_force.now.folder)
    engine.artifacts.clear_scratch()
    timeline = Timeline(clock, await books.decided_until())
    on_change = partial(streams.publish, "state", {"what": "suspensions"})
    switch = Switch(suspensions, folder.pauses, engine, sink, clock, on_change)

    def on_run(run: RunResult, late: float) -> None:
        events.on_late(run, late)
        switch.on_run(run)

    suspended, rerun = suspensions.obstacle, settings.queue.rerun
    dispatcher = Dispatcher(engine, books, lanes, timeline, clock, on_run, suspended, rerun)
    by_hand = RunsByHand(engine, dispatcher, database, sink, clock)
    closer_runs = CloserRuns(engine, books, dispatcher, timeline, clock, switch.on_run)
    readiness = Readiness(engine, dispatcher, sink, database, in_force, switch, clock, replica)
    ticker = Ticker(place)
    replicas = ReplicaReport(agent_id, None if replica is None else replica.presence)
    overview = Overview(
        place,
        Present(dispatcher, ticker, timeline, engine.live, replicas.walking),
        Reported(
            SuspensionReport(suspensions, clock),
            AgentReport(VERSION, settings.environment, readiness.ready),
            replicas,
            engine.artifacts.folder,
            lambda: in_force.now.settings.links.trace,
        ),
        reader,
        clock,
    )
    tools = DeployTools(lambda: in_force.now.settings, environ, clock)
    built = Stations(
        database=database,
        telemetry=sink,
        ledger=books,
        engine=engine,
        timeline=timeline,
        ticker=ticker,
        dispatcher=dispatcher,
        by_hand=by_hand,
        deploys=DeployBook(
            database,
            reader,
            lambda: in_force.now.settings.sites,
            clock,
            partial(streams.publish, "state", {"what": "deploys"}),
            None if replica is None else replica.deploys.tell,
        ),
        gates=Gates(
            Road(
                engine,
                dispatcher,
                suspensions,
                Places(int(settings.keeps_warm)),
                Books(database, sink, None if replica is None else replica.gates),
                clock,
            ),
            lambda: in_force.now.settings,
            reader,
            timeline,
            tools.tellings,
        ),
        tools=tools,
        closer_runs=closer_runs,
        events=events,
        streams=streams,
        usage=UsageMeter(),
        readiness=readiness,
        overview=overview,
        listening=listening,
        shown=shown,
        access=access,
        entrance=entrance_of(access, left, place, replica, clock),
        sign_outs=left,
        in_force=in_force,
        suspensions=suspensions,
        switch=switch,
        replica=replica,
        shared=shared,
    )
    gauge(built)
    join(built)
    await engine.start()
    stack.push_async_callback(engine.stop)
    return built


def _repair(connection: sqlite3.Connection) -> None:
    """Make the books agree, after what could be read of damaged ones was saved."""
    repair(connection)
    incidents.repair(connection)


def _clear(agent_id: str) -> None:
    """Kill what a predecessor has left."""
    left = kill_leftovers(agent_id)
    if left:
        _log.warning("leftovers.killed", action="start", processes=left)


def _lanes(workers: int) -> Lanes:
    return Lanes(
        Lane(LocalQueue(workers * _QUEUE_PER_WORKER), workers),
        Lane(LocalQueue(workers * _CALLS_PER_WORKER), workers),
    )


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


def _suspensions(loaded: Loaded, folder: StateFolder, sink: Telemetry, clock: Clock) -> Suspensions:
    """Take up what people had paused, before anything may walk."""
    pauses = Pauses(pause_record.read(folder.pauses, clock.wall()))
    pauses.settle(clock.wall())
    windows = [Window(one) for one in loaded.maintenance]
    suspensions = Suspensions(pauses, windows, sink.interval)
    sink.tell_suspended(lambda journey, state: suspensions.told(journey, state, clock.wall()))
    return suspensions
