"""The alerts of the agents: what their operator is told, and when."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Final

from agent.rules import expiry, hearing, newest, recording, replicas, series
from agent.rules.rule import Alert, Group
from agent.rules.series import by, on
from agent.rules.subject import PAGE, TICKET

if TYPE_CHECKING:
    from agent.rules.subject import Watch

_MANY: Final = 3
"""Journeys that must fail at once before the agent itself is suspected."""
_DOWN: Final = 2
_BACKLOG: Final = 900
"""Seconds that telemetry may wait on disk."""
_LONGEST_OUTAGE: Final = "3d"
"""Of the collector, after whose end what was lost meanwhile is still told."""
_MOVED: Final = 60
"""Seconds after the last word from a place, from which on one from another place is a move."""


def group(watch: Watch) -> Group:
    """Return the alerts that hold for every agent."""
    return Group(
        "footfall-agent",
        "15s",
        (
            Alert(
                "Watchdog",
                "vector(1)",
                {**watch.labels, "severity": "none"},
                {
                    "summary": "The way of alerts works",
                    "description": "This one always fires. Have somebody else notice when it "
                    "stops coming, such as a dead man's switch.",
                },
            ),
            *_agent_down(watch),
            *replicas.down(watch),
            *_mass_failure(watch),
            _backlog(watch),
            _dropped(watch),
            _reload_failed(watch),
            *expiry.expiring(watch),
        ),
    )


def _agent_down(watch: Watch) -> list[Alert]:
    at = (series.ENVIRONMENT, series.LOCATION)
    heard = hearing.heard(watch)
    here = {series.LOCATION: watch.location}
    been = f"last_over_time({watch.of(hearing.HEARD)}[1d])"
    latest = f"max {by(series.INSTANCES)} (last_over_time({hearing.HEARD}[1d]))"
    shared = f"last_over_time({hearing.SHARED}[1d])"
    # Whoever was heard from elsewhere since has moved, as far as agents can be told apart.
    silent = (
        f"(\n"
        f"  absent({watch.of(series.INTERVAL, **here)})\n"
        f"    unless on () last_over_time({watch.of(hearing.HEARD, **here)}[1d])\n"
        f"  or max {by(at)} (\n"
        f"    {been}\n"
        f"    unless (\n"
        f"      {been}\n"
        f"        < {on(series.INSTANCES)} group_left () ({latest} - {_MOVED})\n"
        f"      unless {on(series.INSTANCES)} {shared}\n"
        f"    )\n"
        f"  )\n"
        f"    unless {on(at)} count {by(at)} ({heard})\n"
        f")"
    )
    annotations = {
        "summary": "Nothing is heard from the agent at {{ $labels.location }}",
        "description": "No journey is watched from there. Either the agent is down (its "
        "/healthz, its log), or its telemetry does not arrive (telemetry.kept in its log, "
        "the collector).",
    }
    others = f"on () count ({heard})"
    page, ticket = ({**watch.labels, "severity": severity} for severity in (PAGE, TICKET))
    return [
        Alert("AgentDown", f"{silent}\nunless {others}", page, annotations, "3m"),
        Alert("AgentDown", f"{silent}\nand {others}", ticket, annotations, "3m"),
    ]


def _mass_failure(watch: Watch) -> list[Alert]:
    at = by((series.ENVIRONMENT, series.LOCATION))
    in_a_row = newest.failures_in_a_row(watch.of)
    failing = (
        f"count {at} ({in_a_row} >= 1) >= {_MANY}\n"
        f"and count {at} ({in_a_row} >= 1)\n"
        f"  > 0.5 * count {at} ({in_a_row})\n"
        f"and max {at} ({in_a_row}) >= {_DOWN}"
    )
    most = (
        f"on () (\n"
        f"  count (\n{indent(failing, '    ')}\n  )\n"
        f"  > 0.5 * count (count {at} ({in_a_row}))\n"
        f")"
    )
    failing = f"(\n{indent(failing, '  ')}\n)"
    summary = "{{ $value }} journeys fail at once at {{ $labels.location }}"
    return [
        Alert(
            "MassFailure",
            f"{failing}\nand {most}",
            {**watch.labels, "severity": PAGE},
            {
                "summary": summary,
                "description": "More than half of what is walked from there. Either the site as a "
                "whole is down, or it is the agent: its network, its proxy, its clock. Open the "
                "site from somewhere else first.",
            },
        ),
        Alert(
            "MassFailure",
            f"{failing}\nunless {most}",
            {**watch.labels, "severity": TICKET},
            {
                "summary": summary,
                "description": "More than half of what is walked from there, and most locations "
                "are well: suspect the agent, its network, its proxy, its clock.",
            },
        ),
    ]


def _backlog(watch: Watch) -> Alert:
    each = by((series.ENVIRONMENT, series.SIGNAL, *series.INSTANCES))
    return Alert(
        "SpoolBacklog",
        f"max {each} ({watch.of(series.SPOOL_OLDEST_AGE)}) > {_BACKLOG}",
        {**watch.labels, "severity": TICKET},
        {
            "summary": "{{ $labels.signal }} have waited for {{ $value | humanizeDuration }}",
            "description": "The collector does not take them, or not fast enough: see "
            "telemetry.kept and telemetry.refused in the agent's log. Beyond "
            "telemetry.spool_age or telemetry.spool_bytes the oldest are lost.",
        },
        "5m",
    )


def _dropped(watch: Watch) -> Alert:
    each = by((series.ENVIRONMENT, series.SIGNAL, *series.INSTANCES))
    lost = watch.of(recording.DROPPED)
    # Nothing was recorded while the collector was away, which is when the oldest are lost.
    before = f"last_over_time({lost}[{_LONGEST_OUTAGE}] offset 1h) or min_over_time({lost}[1h])"
    return Alert(
        "SpoolDropped",
        f"sum {each} (max_over_time({lost}[1h]) - ({before})) > 0",
        {**watch.labels, "severity": TICKET},
        {
            "summary": "{{ $value }} items of {{ $labels.signal }} were lost",
            "description": "Within the last hour. Either the collector was away for too long, or "
            "it refused them for good: see telemetry.refused and telemetry.rejected in the "
            "agent's log, and spool_refused in footfall.db.",
        },
    )


def _reload_failed(watch: Watch) -> Alert:
    each = by((series.ENVIRONMENT, *series.INSTANCES))
    return Alert(
        "ConfigReloadFailed",
        f"max {each} ({watch.of(series.RELOAD_SUCCESS)}) == 0",
        {**watch.labels, "severity": TICKET},
        {
            "summary": "An agent goes on with its old configuration: the new one was refused",
            "description": "What was changed last, in the configuration or in a journey, is not "
            "in force, and would stop the agent from starting. `footfall check` says what is "
            "wrong, as do `footfall status` and the agent's log; `footfall reload` tries again.",
        },
        "5m",
    )
