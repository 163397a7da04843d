"""Letting the journeys that are in force tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from agent.schedule.maintenance import Window

if TYPE_CHECKING:
    from agent.daemon.stations import Stations

_log = structlog.get_logger("footfall.daemon")


async def adopt(stations: Stations, started_at: float | None = None) -> None:
    """Let the journeys in force tick from now on, and no others; tell of what is odd in them.

    At the start, which is at Unix time ``started_at``, the slots that a killed predecessor left
    get their word before anything ticks.
    """
    loaded = stations.in_force.now
    for one in loaded.warnings:
        _log.warning("config.warning", action="load", where=one.where, error=one.message)
    journeys = loaded.journeys
    stations.dispatcher.journeys = {journey.name: journey for journey in journeys}
    await stations.ledger.register_sites({journey.name: journey.site.name for journey in journeys})
    if started_at is not None:
        await stations.ledger.set_back(0.0, started_at)
        await stations.dispatcher.end_unfinished()
        await stations.by_hand.end_unfinished()
        await stations.gates.end_unfinished()
    enabled = {journey.name for journey in journeys if journey.enabled}
    await stations.ledger.take_up(enabled, stations.timeline.on_wall(stations.timeline.now()))
    decided = await stations.ledger.last_decided()
    stations.ticker.load(journeys, decided, stations.timeline.now())
    await stations.ledger.note_ticking(stations.ticker.decided())
    stations.telemetry.watch(journeys, stations.ticker.gap)
    if stations.replica is not None:
        stations.replica.load(loaded)
    if stations.shared is not None:
        stations.shared.load(loaded)
    stations.switch.replace_windows(Window(one) for one in loaded.maintenance)
