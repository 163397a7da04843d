"""What a running agent consists of: everything that outlives its start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from agent.daemon.deploy_book import DeployBook
    from agent.daemon.deploy_tools import DeployTools
    from agent.daemon.event_sink import EventSink
    from agent.daemon.in_force import InForce
    from agent.daemon.queries import Overview
    from agent.daemon.readiness import Readiness
    from agent.daemon.replica import Replica
    from agent.daemon.shared_slots import SharedSlots
    from agent.daemon.sign_out_keeper import SignOuts
    from agent.daemon.switch import Switch
    from agent.daemon.usage import UsageMeter
    from agent.gates.gates import Gates
    from agent.runs.by_hand import RunsByHand
    from agent.runs.closer_runs import CloserRuns
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.engine import Engine
    from agent.runs.ledger import Ledger
    from agent.schedule.suspensions import Suspensions
    from agent.schedule.ticker import Ticker
    from agent.schedule.timeline import Timeline
    from agent.server.access import Access
    from agent.server.app import Entrance
    from agent.server.event_streams import EventStreams
    from agent.storage.database import Database
    from agent.telemetry.telemetry import Telemetry


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
