"""The agent itself: whether what it says can be believed, and what it lacks."""

from __future__ import annotations

from typing import Final

from deploy.grafana.source import road, words
from deploy.grafana.source.at import CHOSEN, RUNS, WATCHED, fell, placed
from deploy.grafana.source.dashboard import Choice, Dashboard, Row
from deploy.grafana.source.panel import TAKEN_UP, Query
from deploy.grafana.source.panels import Bars, Chart, Stat
from deploy.grafana.source.table import Column, Table

_AGENT: Final = Choice("agent", "Agent", WATCHED, "service_instance_id")
_DROPPED: Final = f"sum(increase(footfall_spool_dropped_total{CHOSEN}[$__range])) or vector(0)"
_RESTARTS: Final = f"footfall_agent_worker_restarts_total{CHOSEN}"

_NOW: Final = Row(
    "Now, and in the range that is shown",
    [
        Stat(
            title="Agents that report",
            description="Everywhere, whatever is chosen above. Fewer than there should be: one is "
            "down, or can't reach its collector.",
            queries=[Query("count(footfall_agent_processes) or vector(0)")],
            steps=((words.LOWEST, "red"), (1, "green")),
        ),
        Stat(
            title="Workers",
            description="Processes that walk, or could.",
            queries=[
                Query(f'sum(footfall_agent_workers{{state!="starting",{CHOSEN[1:]})'),
            ],
            steps=((words.LOWEST, "red"), (1, "green")),
        ),
        Stat(
            title="Waiting runs",
            description="Runs that are due and have no worker yet.",
            queries=[Query(f"sum(footfall_agent_queue_depth{CHOSEN})")],
            steps=words.FEW_ARE_WELL,
        ),
        Stat(
            title="Memory",
            description="Proportional set size of all the agents' processes.",
            queries=[Query(f"sum(footfall_agent_memory_bytes{CHOSEN})")],
            unit="bytes",
            filled=False,
        ),
        Stat(
            title="Replaced workers",
            description="For whatever reason; max_runs and max_age are housekeeping.",
            queries=[Query(f"sum(increase({_RESTARTS}[$__range])) or vector(0)")],
            decimals=0,
            filled=False,
        ),
        Stat(
            title="Not measured",
            description="Share of runs that the agent could not measure.",
            queries=[
                Query(
                    f'(sum(increase({RUNS[:-1]},result="not_measured"}}[$__range])) or vector(0)) '
                    f"/ sum(increase({RUNS}[$__range]))"
                )
            ],
            unit="percentunit",
            decimals=1,
            steps=((0.01, "yellow"), (0.1, "red")),
        ),
        Stat(
            title="Oldest unsent",
            description="Age of the oldest telemetry that the collector has not taken. All of it "
            "waits on disk.",
            queries=[Query(f"max(footfall_spool_oldest_age_seconds{CHOSEN})")],
            unit="s",
            decimals=0,
            steps=((120, "yellow"), (3600, "red")),
        ),
        Stat(
            title="Dropped",
            description="Spans, log records and data points that are lost: over the spool's "
            "bounds, or refused by the collector.",
            queries=[Query(_DROPPED)],
            decimals=0,
            steps=words.NONE_IS_GOOD,
        ),
        Stat(
            title="Last reload",
            description="Refused: the configuration or a journey was changed and is not in "
            "force. `footfall check` says what is wrong with it.",
            queries=[
                Query(
                    f"min by (service_instance_id) (footfall_config_reload_success{CHOSEN})",
                    "{{service_instance_id}}",
                )
            ],
            states=TAKEN_UP,
            width=12,
        ),
        Stat(
            title="In force for",
            description="Time since what is in force was taken up: by the start, or by a reload "
            "since.",
            queries=[
                Query(
                    "time() - max by (service_instance_id) "
                    f"(footfall_config_reload_time_seconds{CHOSEN})",
                    "{{service_instance_id}}",
                )
            ],
            unit="s",
            decimals=0,
            filled=False,
            width=12,
        ),
        Table(
            title="Agents",
            description="One a location, or the replicas that share it; the id is that of its "
            "state folder. A replica is heard by the others where all of them count as many.",
            by={
                "location": "Location",
                "service_instance_id": "Agent",
                "service_version": "Version",
                "deployment_environment_name": "Environment",
            },
            columns=[
                Column(
                    title="Journeys",
                    expr="count by (location, service_instance_id, service_version, "
                    f"deployment_environment_name) ({WATCHED})",
                ),
                Column(
                    title="Replicas heard",
                    expr="max by (service_instance_id) (footfall_queue_replicas) "
                    "* on (service_instance_id) group_right () "
                    "(0 * count by (location, service_instance_id, service_version, "
                    f"deployment_environment_name) ({WATCHED}) + 1)",
                    steps=((words.LOWEST, "red"), (1, "yellow"), (2, "green")),
                ),
            ],
            height=5,
        ),
    ],
)
_WORKERS: Final = Row(
    "Workers",
    [
        Chart(
            title="Workers by state",
            description="Busy all the time: there are more journeys than workers can walk.",
            queries=[
                Query(placed("footfall_agent_workers", "state"), "{{location}} · {{state}}"),
            ],
            stacked=True,
            width=8,
        ),
        Bars(
            title="Replaced workers by reason",
            description="fresh, max_runs, max_age and settings are housekeeping; worker_…, "
            "out_of_memory and browser_launch cost a run.",
            queries=[
                Query(
                    fell("footfall_agent_worker_restarts_total", "reason"),
                    "{{location}} · {{reason}}",
                )
            ],
            width=8,
        ),
        Chart(
            title="Waiting runs",
            description="Runs that are due and have no worker yet.",
            queries=[Query(placed("footfall_agent_queue_depth"), "{{location}}")],
            width=8,
        ),
        Chart(
            title="Memory",
            description="Proportional set size of supervisor, workers and browsers together.",
            queries=[Query(placed("footfall_agent_memory_bytes"), "{{location}}")],
            unit="bytes",
        ),
        Chart(
            title="Processes",
            description="Steady growth would be a leak: every run's processes end with it.",
            queries=[Query(placed("footfall_agent_processes"), "{{location}}")],
        ),
    ],
)
DASHBOARD: Final = Dashboard(
    uid="footfall-agent",
    title="Footfall: agent",
    description="Whether the agent measures and reports, and what it lacks.",
    choices=[words.ENVIRONMENT, words.LOCATION, _AGENT],
    rows=[_NOW, _WORKERS, road.SLOTS, road.SPOOL],
)
