"""What is told between stations once all of them are built."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agent.core import names
from agent.daemon.replica import Doing

if TYPE_CHECKING:
    from collections.abc import Collection

    from agent.daemon.stations import Stations


def gauge(built: Stations) -> None:
    """Have the agent's own gauges asked of the stations."""
    ask = built.telemetry.gauge
    ask(
        names.AGENT_WORKERS,
        lambda: [({"state": s}, n) for s, n in built.engine.pools.states().items()],
    )
    ask(names.REPLICAS, lambda: [({}, built.replica.heard if built.replica else 1)])
    ask(names.AGENT_DRAINING, lambda: [({}, int(built.dispatcher.draining))])
    ask(names.AGENT_QUEUE_DEPTH, lambda: [({}, built.dispatcher.lanes.depth)])
    ask(names.AGENT_MEMORY, lambda: [({}, built.usage.last.memory)])
    ask(names.RELOAD_SUCCESS, lambda: [({}, int(not built.in_force.refused))])
    ask(names.RELOAD_TIME, lambda: [({}, built.in_force.since)])
    ask(names.AGENT_PROCESSES, lambda: [({}, built.usage.last.processes)])


def join(built: Stations) -> None:
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
