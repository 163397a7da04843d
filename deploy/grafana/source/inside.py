"""The inside of one journey: its steps, and what its pages do."""

from __future__ import annotations

from typing import Final

from deploy.grafana.source import words
from deploy.grafana.source.dashboard import Row
from deploy.grafana.source.panel import Query
from deploy.grafana.source.panels import Bars, Chart
from deploy.grafana.source.table import Column, Table
from deploy.grafana.source.words import fell, journeys, quantile

_STEPS: Final = journeys("footfall_step_duration_seconds_bucket")
_STEPS_ENDED: Final = "footfall_step_duration_seconds_count"
_VITALS: Final = journeys("footfall_web_vital_seconds_bucket")
_SHIFTS: Final = journeys("footfall_web_vital_cls_bucket")


def _of_steps(result: str) -> str:
    ended = journeys(_STEPS_ENDED, f'result="{result}"')
    return (
        f"sum by (step) (increase({ended}[$__range])) "
        f"or 0 * sum by (step) ({journeys(_STEPS_ENDED)})"
    )


STEPS: Final = Row(
    "Steps",
    [
        Table(
            title="Steps in this range",
            description="Where it breaks and where the time goes; of attempts that decided a run.",
            by={"step": "Step"},
            columns=[
                Column(
                    title="Failed", expr=_of_steps("fail"), decimals=0, steps=words.NONE_IS_GOOD
                ),
                Column(title="Passed", expr=_of_steps("pass"), decimals=0),
                Column(title="p50", expr=quantile(0.5, _STEPS, "step", "$__range"), unit="s"),
                Column(title="p95", expr=quantile(0.95, _STEPS, "step", "$__range"), unit="s"),
            ],
            width=8,
        ),
        Bars(
            title="Failed steps",
            description="The step in which the deciding attempt failed.",
            queries=[Query(fell(journeys(_STEPS_ENDED, 'result="fail"'), "step"), "{{step}}")],
            width=8,
        ),
        Chart(
            title="Duration by step, p95",
            description="Steps that failed count with the time that they took to fail.",
            queries=[Query(quantile(0.95, _STEPS, "step", "$__rate_interval"), "{{step}}")],
            unit="s",
            every="5m",
            exemplars=True,
            width=8,
        ),
    ],
)
PAGES: Final = Row(
    "What the pages do",
    [
        Chart(
            title="Web vitals, p75",
            description="Good is below: lcp 2.5 s, fcp 1.8 s, ttfb 0.8 s, inp 0.2 s. inp is there "
            "only where the journey clicks or types.",
            queries=[Query(quantile(0.75, _VITALS, "vital", "$__rate_interval"), "{{vital}}")],
            unit="s",
            every="5m",
            width=6,
        ),
        Chart(
            title="Layout shift, p75",
            description="Good is below 0.1, poor above 0.25.",
            queries=[
                Query(quantile(0.75, _SHIFTS, "location", "$__rate_interval"), "{{location}}")
            ],
            unit="none",
            every="5m",
            steps=((0.1, "yellow"), (0.25, "red")),
            width=6,
        ),
        Bars(
            title="Requests",
            description="By whose origin they went to and what came back, over all attempts. Of "
            "third parties, what the beacon policy stopped counts as failed.",
            queries=[
                Query(
                    fell(journeys("footfall_requests_total"), "party, outcome"),
                    "{{party}} · {{outcome}}",
                )
            ],
            width=6,
        ),
        Bars(
            title="Page errors by party",
            description="Uncaught errors of pages' scripts, by whose script it was. The runs' "
            "evidence has their texts.",
            queries=[Query(fell(journeys("footfall_page_errors_total"), "party"), "{{party}}")],
            width=6,
        ),
        Bars(
            title="Beacons",
            description="Hits for vendors of analytics and what became of them. Any that escaped "
            "counted the agent as a customer.",
            queries=[
                Query(
                    fell(journeys("footfall_beacons_total"), "vendor, action"),
                    "{{vendor}} · {{action}}",
                )
            ],
            width=6,
        ),
    ],
)
