"""The alert of a location that several machines share: one of them is gone, the others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.rules import hearing, series
from agent.rules.rule import Alert
from agent.rules.series import by, on
from agent.rules.subject import TICKET

if TYPE_CHECKING:
    from agent.rules.subject import Watch

_AT: Final = (series.ENVIRONMENT, series.LOCATION)
_REPLICA: Final = (*_AT, *series.INSTANCES)
_LEFT: Final = 60
"""Seconds after it was heard to drain, from which on one that is heard has come back."""


def down(watch: Watch) -> tuple[Alert, Alert]:
    """Return those of a replica that is silent, and of one that is cut off from the others."""
    labels = {**watch.labels, "severity": TICKET}
    of = on(series.INSTANCES)
    been = f"last_over_time({watch.of(hearing.HEARD)}[1d])"
    told = watch.of(series.REPLICAS)
    left = f"max {by(series.INSTANCES)} (last_over_time({watch.of(hearing.DRAINED)}[1d])) + {_LEFT}"
    here = watch.of(hearing.AGENTS)
    silent = (
        f"(\n"
        f"  max {by(_REPLICA)} ({been} and {of} last_over_time({told}[1d]))\n"
        f"    unless {of} {hearing.heard(watch)}\n"
        f"    unless {of} {been} <= {of} group_left () ({left})\n"
        f")\n"
        # Not where another has taken its place: the location is as strong as it was.
        f"and {on(_AT)} {here} < max_over_time({here}[1d])"
    )
    # Metrics of the agent carry its id and no location: its journeys lend theirs.
    placed = (
        f"{of} group_left () max {by(series.INSTANCES)} ({told} and {of} {hearing.heard(watch)})"
    )
    counted = f"0 * max {by(_REPLICA)} ({hearing.heard(watch)}) + {placed}"
    return (
        Alert(
            "ReplicaDown",
            silent,
            labels,
            {
                "summary": "One of the replicas at {{ $labels.location }} is not heard any more",
                "description": "The others walk on, with one machine less. Either it is down (its "
                "/healthz, its log), or its telemetry does not arrive (telemetry.kept in its "
                "log, the collector). Which one it is stands in the alert's labels, and "
                "`footfall status` at any other lists who is there.",
            },
            "3m",
        ),
        Alert(
            "ReplicaDown",
            f"{counted} == 0\nand {on(_AT)} max {by(_AT)} ({counted}) > 0",
            labels,
            {
                "summary": "A replica at {{ $labels.location }} is cut off from the others",
                "description": "It runs and can't reach the queue's server, so it walks nothing; "
                "the others walk on, with one machine less. queue.away in its log says why.",
            },
            "3m",
        ),
    )
