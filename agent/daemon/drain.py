"""The end: what runs may end, the rest is broken off, and all of it is written down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.core.first_of import first_of

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from agent.daemon.stations import Stations

_log = structlog.get_logger("footfall.daemon")

_DRAIN = 20.0
"""Seconds that runs under way may take to end after SIGTERM."""
_ABORT = 2.0
"""Seconds for what is known of aborted runs to be written down."""


async def drain(
    stations: Stations, tasks: AbstractSet[asyncio.Task[object]], force: asyncio.Event
) -> bool:
    """Stop offering, let runs end, end the rest as not measured, write everything.

    The side ``tasks`` are cancelled, and awaited. Where ``force`` is set, runs are broken off
    at once.

    Returns:
        Whether every run came to its own end.

    """
    _log.info("drain.started", action="stop", running=stations.dispatcher.running)
    await stations.gates.end()
    stations.by_hand.drain()
    if stations.replica is not None:
        await stations.replica.presence.drain()
    drained = asyncio.create_task(stations.dispatcher.drain())
    await first_of(drained, force.wait(), limit=_DRAIN)
    if not drained.done():
        await stations.engine.abort("the agent was stopped under the run")
        await asyncio.wait({drained}, timeout=_ABORT)
    clean = drained.done()
    await first_of(stations.tools.end(), force.wait())
    # A disk that refuses must not hold up the end: what it didn't take is lost with a word.
    stations.database.give_up()
    await stations.by_hand.cancel()
    await stations.gates.cancel()
    # The telemetry's own tasks end with it, after the last result is written.
    ending = [drained, *(tasks - {*stations.telemetry.tasks})]
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
    await stations.closer_runs.cancel()
    await stations.events.written()
    return clean
