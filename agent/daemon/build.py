"""Building the daemon's stations, each on the ones before it.

What has to be taken down again goes onto the stack in the order in which it comes up.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.core import names
from agent.core.errors import StateError
from agent.daemon.agent_document import AgentReport
from agent.daemon.deploy_book import DeployBook
from agent.daemon.deploy_tools import DeployTools
from agent.daemon.event_sink import EventSink
from agent.daemon.in_force import InForce
from agent.daemon.present import Present
from agent.daemon.queries import Overview, Reported
from agent.daemon.readiness import Readiness
from agent.daemon.replica import Doing, Replica, open_replica
from agent.daemon.replica_report import ReplicaReport
from agent.daemon.shared_slots import SharedSlots, share_slots
from agent.daemon.sign_out_keeper import SignOuts
from agent.daemon.suspension_report import SuspensionReport
from agent.daemon.switch import Switch
from agent.daemon.usage import UsageMeter
from agent.gates.books import Books
from agent.gates.course import Road
from agent.gates.gates import Gates
from agent.loading import snapshot
from agent.loading.load import VERSION
from agent.pool.process_tree import kill_leftovers
from agent.queue import key_names
from agent.queue.local import LocalQueue
from agent.replicas.shared_sign_in import SharedLinks
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
from agent.server.access import Access
from agent.server.app import Entrance
from agent.server.event_streams import EventStreams
from agent.server.one_time_links import OneTimeLinks
from agent.server.serving import listen, port_of
from agent.server.sessions import Sessions
from agent.storage import access_token, asked_runs, gates, incidents, runs, sign_outs
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
    import sqlite3
    from collections.abc import Collection, Mapping
    from contextlib import AsyncExitStack

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.results import RunResult
    from agent.loading.load import Loaded
    from agent.server.one_time_links import Links

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


@dataclass(frozen=True, slots=True)
class Stations:
    """What a running agent consists of."""

    database: Database
    telemetry: Telemetry
    ledger: Ledger
    engine: Engine
    timeline: Timeline
    ticker: Ticker
    dispatcher: Dispatcher
    by_hand: RunsByHand
    deploys: DeployBook
    gates: Gates
    tools: DeployTools
    closer_runs: CloserRuns
    events: EventSink
    streams: EventStreams
    """Where pages hear of what happens."""
    usage: UsageMeter
    readiness: Readiness
    overview: Overview
    listening: socket.socket
    shown: socket.socket | None
    """Where the public page is listened for; None: nowhere."""
    access: Access
    entrance: Entrance
    sign_outs: SignOuts
    in_force: InForce
    """All that a reload changes."""
    suspensions: Suspensions
    switch: Switch
    replica: Replica | None
    """What it shares with the others of its location; None: it is alone."""
    shared: SharedSlots | None
    """How slots are walked and counted then; None: it is alone."""


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
    listening = _listen(settings.server.host, settings.server.port, "")
    stack.callback(listening.close)
    shown = _shown(settings, stack)
    access = _access(settings, folder, port_of(listening))
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
    left = await _sign_outs(database, replica, clock)
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
        entrance=_entrance(access, left, place, replica, clock),
        sign_outs=left,
        in_force=in_force,
        suspensions=suspensions,
        switch=switch,
        replica=replica,
        shared=shared,
    )
    _gauge(built)
    _join(built)
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


def _shown(settings: Settings, stack: AsyncExitStack) -> socket.socket | None:
    """Take the public page's address, if it is to have one."""
    server = settings.server
    if not server.public_port:
        return None
    shown = _listen(server.public_host, server.public_port, "public_")
    stack.callback(shown.close)
    return shown


def _listen(host: str, port: int, key: str) -> socket.socket:
    """Take an address of the server's first of all: who can't have it need not start the rest."""
    try:
        return listen(host, port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise StateError(
            f"can't listen on {host}:{port}: {why}. "
            f"Choose another `server.{key}host` or `server.{key}port`."
        ) from error


def _access(settings: Settings, folder: StateFolder, port: int) -> Access:
    """Say what opens the server; without a token of the configuration, one in the state folder."""
    server = settings.server
    if configured := server.token.get_secret_value():
        # One from before would have a command on this machine show what nobody takes any more.
        access_token.drop(folder.path)
        return Access(server.host, configured, True, port, server.url)
    return Access(server.host, access_token.keep(folder.path), False, port, server.url)


async def _sign_outs(database: Database, replica: Replica | None, clock: Clock) -> SignOuts:
    """Take up who has signed out, here and at the other replicas."""
    found = SignOuts(database, clock, None if replica is None else replica.board)
    await found.read()
    return found


def _entrance(
    access: Access, sign_outs: SignOuts, location: str, replica: Replica | None, clock: Clock
) -> Entrance:
    """Say how people come in with a browser: at all replicas of a location, or at this agent."""
    links: Links = OneTimeLinks(clock.monotonic) if replica is None else SharedLinks(replica.store)
    name = "" if replica is None else key_names.token(location)
    sessions = Sessions(access.token, access.url, access.port, clock.wall, sign_outs, name)
    return Entrance(sessions, links, clock)


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


def _gauge(built: Stations) -> None:
    """Have the agent's own gauges asked of the stations."""
    gauge = built.telemetry.gauge
    gauge(
        names.AGENT_WORKERS,
        lambda: [({"state": s}, n) for s, n in built.engine.pools.states().items()],
    )
    gauge(names.REPLICAS, lambda: [({}, built.replica.heard if built.replica else 1)])
    gauge(names.AGENT_DRAINING, lambda: [({}, int(built.dispatcher.draining))])
    gauge(names.AGENT_QUEUE_DEPTH, lambda: [({}, built.dispatcher.lanes.depth)])
    gauge(names.AGENT_MEMORY, lambda: [({}, built.usage.last.memory)])
    gauge(names.RELOAD_SUCCESS, lambda: [({}, int(not built.in_force.refused))])
    gauge(names.RELOAD_TIME, lambda: [({}, built.in_force.since)])
    gauge(names.AGENT_PROCESSES, lambda: [({}, built.usage.last.processes)])


def _join(built: Stations) -> None:
    """Have the replica's stations know what this agent does, and hear what others have done."""
    replica = built.replica
    if replica is None or built.shared is None:
        return
    built.shared.lose_by(built.dispatcher)
    books, switch = built.ledger, built.switch
    books.replica = replica.instance
    places, pools = built.dispatcher.lanes.browsers.places, built.engine.pools

    def doing() -> Doing:
        states = pools.browsers.states()
        up = states["idle"] + states["busy"]
        return Doing(up, min(places.free, states["idle"]), built.engine.stops.under_way)

    async def on_change(journeys: Collection[str]) -> None:
        await books.look_again()
        switch.on_verdicts(journeys)
        built.streams.publish("state", {"what": "journeys"})

    replica.describe_by(doing)
    switch.share(replica.pauses)
    replica.verdicts.on_change = on_change
    replica.deploys.on_heard = partial(built.streams.publish, "state", {"what": "deploys"})
