"""The agent's road: slots that come due, and telemetry that leaves."""

from __future__ import annotations

from typing import Final

from deploy.grafana.source import words
from deploy.grafana.source.at import AT, CHOSEN, EXPECTED, RUNS, SKIPPED, fell, placed
from deploy.grafana.source.dashboard import Row
from deploy.grafana.source.panel import Query
from deploy.grafana.source.panels import Bars, Chart
from deploy.grafana.source.words import quantile

_LATENESS: Final = f"footfall_schedule_lateness_seconds_bucket{AT}"
_UNDER_WAY: Final = (
    f"sum by (location) ({EXPECTED}) - sum by (location) ({RUNS}) "
    f"- (sum by (location) ({SKIPPED}) or 0 * sum by (location) ({EXPECTED}))"
)
SLOTS: Final = Row(
    "Slots",
    [
        Chart(
            title="Due, run and skipped",
            description="Every slot that is due ends in a result or a reason.",
            queries=[
                Query(f"sum(increase({EXPECTED}[$__interval]))", "due"),
                Query(f"sum(increase({RUNS}[$__interval]))", "run"),
                Query(f"sum(increase({SKIPPED}[$__interval])) or vector(0)", "skipped"),
            ],
            every="5m",
            width=8,
        ),
        Chart(
            title="Under way",
            description="Slots that are due and have neither result nor reason yet: those waiting "
            "and those walking. It never grows for long.",
            queries=[Query(_UNDER_WAY, "{{location}}")],
            width=8,
        ),
        Chart(
            title="Lateness",
            description="From a slot's time to the start of its run; it grows where workers are "
            "short.",
            queries=[
                Query(
                    quantile(q, _LATENESS, "location", "$__rate_interval"), f"{p} {{{{location}}}}"
                )
                for p, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            ],
            unit="s",
            every="5m",
            width=8,
        ),
        Bars(
            title="Skipped slots by reason",
            description="overrun: the last run still went on. capacity: no worker in time, or no "
            "memory. late: the machine stood still. down, shutdown: the agent was away. paused, "
            "maintenance: somebody wanted it.",
            queries=[
                Query(
                    f"sum by (location, reason) (increase({SKIPPED}[$__interval]))",
                    "{{location}} · {{reason}}",
                )
            ],
        ),
        Bars(
            title="Not measured by error",
            description="script_error is a journey's defect; challenged is the site's edge, "
            "which takes the agent for a bot; canary, agent_network, agent_overload, browser_… "
            "and worker_… are the agent's or its machine's.",
            queries=[
                Query(
                    "sum by (location, error_type) "
                    f'(increase({RUNS[:-1]},result="not_measured"}}[$__interval]))',
                    "{{location}} · {{error_type}}",
                )
            ],
        ),
    ],
)
SPOOL: Final = Row(
    "Telemetry on its way",
    [
        Chart(
            title="Waiting items",
            description="Spans, log records and data points on disk.",
            queries=[
                Query(placed("footfall_spool_items", "signal"), "{{location}} · {{signal}}"),
            ],
            width=8,
        ),
        Chart(
            title="Waiting bytes",
            description="Bounded by telemetry.spool_bytes; beyond it the oldest goes first.",
            queries=[
                Query(placed("footfall_spool_bytes", "signal"), "{{location}} · {{signal}}"),
            ],
            unit="bytes",
            width=8,
        ),
        Chart(
            title="Age of the oldest",
            description="Grows while the collector is away; bounded by telemetry.spool_age.",
            queries=[
                Query(
                    placed("footfall_spool_oldest_age_seconds", "signal", of="max"),
                    "{{location}} · {{signal}}",
                ),
            ],
            unit="s",
            width=8,
        ),
        Bars(
            title="Accepted",
            description="Items that the collector took.",
            queries=[
                Query(fell("footfall_spool_sent_total", "signal"), "{{location}} · {{signal}}")
            ],
            every="1m",
        ),
        Bars(
            title="Dropped",
            description="Items that are lost. The agent's log says why.",
            queries=[
                Query(
                    f"sum by (signal) (increase(footfall_spool_dropped_total{CHOSEN}"
                    f"[$__interval])) or 0 * sum by (signal) (footfall_spool_items{CHOSEN})",
                    "{{signal}}",
                )
            ],
            every="1m",
            steps=words.NONE_IS_GOOD,
        ),
    ],
)
