"""Which agents are heard, and from where: what is recorded of it, and how it is asked."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from agent.rules import series
from agent.rules.rule import Recording
from agent.rules.series import by, on, select

if TYPE_CHECKING:
    from agent.rules.subject import Watch

HEARD: Final = "footfall:agent_heard:time"
"""When each agent was last heard from, by location, in any environment."""
LOCATIONS: Final = "footfall:agent_locations:count"
SHARED: Final = "footfall:agent_locations:shared"
"""What can't tell one agent from another: for ten minutes, several locations had it at once."""
AGENTS: Final = "footfall:agents_heard:count"
"""How many agents are heard at each location."""
DRAINED: Final = "footfall:agent_drained:time"
"""When each agent was last heard to drain."""

_AT: Final = (series.ENVIRONMENT, series.LOCATION)
_EACH: Final = (*_AT, *series.INSTANCES)
_SILENT: Final = 8
"""Intervals without metrics after which an agent counts as silent."""
_SILENT_AT_LEAST: Final = 120


def heard(watch: Watch) -> str:
    """Write the journeys' series of the agents that are heard now."""
    bound = ceil(max(_SILENT * watch.interval, _SILENT_AT_LEAST))
    # Told by the samples' own time: a series counts as there for 5 minutes after its last one.
    return f"time() - timestamp({watch.of(series.INTERVAL)}) < {bound}"


def recordings(watch: Watch) -> list[Recording]:
    """Record where each agent is; of all environments, since an agent may move to another."""
    unknown = select(LOCATIONS, **dict.fromkeys(series.INSTANCES, ""))
    draining = watch.of(series.DRAINING)
    life = (series.ENVIRONMENT, *series.INSTANCES, series.VERSION)
    return [
        Recording(HEARD, f"max {by(_EACH)} (timestamp({series.INTERVAL}))"),
        Recording(
            LOCATIONS, f"count {by(series.INSTANCES)} (count {by(_EACH)} ({series.INTERVAL}))"
        ),
        Recording(
            SHARED,
            f"({LOCATIONS} offset 10m > 1 and min_over_time({LOCATIONS}[10m]) > 1)\nor {unknown}",
        ),
        Recording(AGENTS, f"count {by(_AT)} (max {by(_EACH)} ({heard(watch)}))"),
        # By the samples' own time again, since the last word of who left is there for minutes.
        Recording(
            DRAINED,
            f"max {by((series.ENVIRONMENT, *series.INSTANCES))} (\n"
            f"  timestamp({draining}) and {on(life)} {draining} == 1\n"
            f")",
        ),
    ]
