"""One journey: what failed, where in it, since when, and how slow it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from deploy.grafana.source import inside, words
from deploy.grafana.source.dashboard import Annotation, Dashboard, Row
from deploy.grafana.source.panel import SUSPENSIONS, VERDICTS, Query
from deploy.grafana.source.panels import Bars, Chart, Stat, Timeline
from deploy.grafana.source.words import (
    down,
    fell,
    journeys,
    newest,
    quantile,
    runs,
    success,
    suspended,
)

_UP: Final = newest("footfall_journey_up")
_ATTEMPTS: Final = journeys("footfall_journey_attempts_total")
_DURATION: Final = journeys("footfall_journey_duration_seconds_bucket")
_LATENESS: Final = journeys("footfall_schedule_lateness_seconds_bucket")


_NOW: Final = Row(
    "Now, and in the range that is shown",
    [
        Stat(
            title="Status",
            description="The last verdict at each location. None: no run was measured for three "
            "intervals, five minutes at least.",
            queries=[Query(f"min by (location) ({_UP})", "{{location}}")],
            states=VERDICTS,
            width=6,
        ),
        Stat(
            title="Failed in a row",
            description="Confirmed fails since the last success; runs that could not be measured "
            "don't count.",
            queries=[
                Query(
                    f"max by (location) ({newest('footfall_journey_consecutive_failures')})",
                    "{{location}}",
                )
            ],
            steps=words.NONE_IS_GOOD,
            width=6,
        ),
        Stat(
            title="Last success",
            description="Time since a run passed, anywhere: how long customers may have been "
            "without it.",
            queries=[
                Query(f"time() - max({journeys('footfall_journey_last_success_seconds')})"),
            ],
            unit="s",
            decimals=0,
            none="never",
            filled=False,
        ),
        Stat(
            title="Last run",
            description="Time since a run ended, anywhere and in any way.",
            queries=[Query(f"time() - max({journeys('footfall_journey_last_run_seconds')})")],
            unit="s",
            decimals=0,
            filled=False,
        ),
        Stat(
            title="Runs every",
            description="Distance between two slots at one location.",
            queries=[Query(f"max({journeys('footfall_journey_interval_seconds')})")],
            unit="s",
            filled=False,
        ),
        Stat(
            title="Success",
            description="Passed and flaky runs among those measured.",
            queries=[Query(success("$__range"))],
            unit="percentunit",
            decimals=2,
            steps=words.RATIO,
        ),
        Stat(
            title="Slow in a row",
            description="Passes above a limit that its author gave it or one of its steps. One "
            "alone is no news.",
            queries=[
                Query(
                    f"max by (location) ({newest('footfall_journey_consecutive_slow')})",
                    "{{location}}",
                )
            ],
            steps=((2, "yellow"),),
            width=6,
        ),
        Stat(
            title="Slow passes",
            description="Those above a limit. They count as passed.",
            queries=[
                Query(
                    f"sum(increase({journeys('footfall_journey_slow_total')}[$__range])) "
                    "or vector(0)"
                )
            ],
            decimals=0,
            filled=False,
            width=6,
        ),
        Stat(
            title="Suspended",
            description="Locations at which it is paused or in a maintenance window, or was and "
            "has no verdict since: nobody is paged for it there.",
            queries=[Query(f"count({suspended('location')} == 1) or vector(0)")],
            steps=((1, "blue"),),
            width=6,
        ),
        Stat(
            title="Page errors",
            description="Uncaught errors of pages' scripts, of first and third parties.",
            queries=[
                Query(
                    f"sum(increase({journeys('footfall_page_errors_total')}[$__range])) "
                    "or vector(0)"
                )
            ],
            decimals=0,
            filled=False,
            width=6,
        ),
        Timeline(
            title="By location",
            description="Red at one location: its network or what serves it. Red at all: the site.",
            queries=[Query(f"min by (location) ({_UP})", "{{location}}")],
            height=6,
            width=12,
        ),
        Timeline(
            title="Paused, or in a window",
            description="Blue: nobody is paged for it. `footfall status` says who paused it and "
            "why. It lasts until the first verdict after it.",
            queries=[
                Query(suspended("location, reason, mode"), "{{location}} · {{reason}} · {{mode}}")
            ],
            states=SUSPENSIONS,
            height=6,
            width=12,
            none="nothing is suspended",
        ),
    ],
)
_RUNS: Final = Row(
    "What happened",
    [
        Bars(
            title="Runs by result",
            description="How many ended in each way. Points are single runs, where the data source "
            "keeps exemplars.",
            queries=[Query(fell(runs(), "result"), "{{result}}")],
            exemplars=True,
            width=8,
        ),
        Bars(
            title="Runs by error",
            description="Of every run that had one, the flaky ones too.",
            queries=[
                Query(
                    fell(runs('error_type!=""'), "result, error_type"),
                    "{{result}} · {{error_type}}",
                )
            ],
            width=8,
        ),
        Bars(
            title="Attempts by result",
            description="Before a second attempt had its say: fails here that are none among the "
            "runs were flakes.",
            queries=[Query(fell(_ATTEMPTS, "result"), "{{result}}")],
            width=8,
        ),
    ],
)
_DURATIONS: Final = Row(
    "How long it takes",
    [
        Chart(
            title="Duration by result, p50 and p95",
            description="Of the attempt that decided the run. Points are single runs: click one "
            "for its trace, where the data source keeps exemplars.",
            queries=[
                Query(quantile(0.5, _DURATION, "result", "$__rate_interval"), "p50 {{result}}"),
                Query(quantile(0.95, _DURATION, "result", "$__rate_interval"), "p95 {{result}}"),
            ],
            unit="s",
            every="5m",
            exemplars=True,
        ),
        Chart(
            title="Duration of passed runs by location, p95",
            description="Slow at one location, or everywhere.",
            queries=[
                Query(
                    quantile(
                        0.95,
                        journeys("footfall_journey_duration_seconds_bucket", 'result="pass"'),
                        "location",
                        "$__rate_interval",
                    ),
                    "{{location}}",
                )
            ],
            unit="s",
            every="5m",
            exemplars=True,
        ),
    ],
)
_SLOTS: Final = Row(
    "Schedule",
    [
        Chart(
            title="Slots",
            description="Due slots beside those that ended in a result and those skipped; what is "
            "left is under way.",
            queries=[
                Query(
                    f"sum(increase({journeys('footfall_schedule_expected_total')}[$__interval]))",
                    "due",
                ),
                Query(f"sum(increase({runs()}[$__interval]))", "run"),
                Query(
                    f"sum(increase({journeys('footfall_schedule_skipped_total')}[$__interval])) "
                    "or vector(0)",
                    "skipped",
                ),
            ],
            every="5m",
            width=8,
        ),
        Bars(
            title="Skipped slots by reason",
            description="overrun: the last run still went on; give it more room between slots. "
            "paused, maintenance: somebody wanted it.",
            queries=[
                Query(
                    fell(journeys("footfall_schedule_skipped_total"), "reason"),
                    "{{reason}}",
                )
            ],
            width=8,
        ),
        Chart(
            title="Lateness",
            description="From a slot's time to the start of its run.",
            queries=[
                Query(quantile(0.5, _LATENESS, "location", "$__rate_interval"), "p50 {{location}}"),
                Query(
                    quantile(0.95, _LATENESS, "location", "$__rate_interval"), "p95 {{location}}"
                ),
            ],
            unit="s",
            every="5m",
            width=8,
        ),
    ],
)

DASHBOARD: Final = Dashboard(
    uid="footfall-journey",
    title="Footfall: journey",
    description="One journey: what failed, where in it, since when, and how slow it is.",
    choices=[words.ENVIRONMENT, words.LOCATION, words.SITE, replace(words.JOURNEYS, several=False)],
    rows=[_NOW, _RUNS, _DURATIONS, inside.STEPS, inside.PAGES, _SLOTS],
    annotations=[
        Annotation(
            "Down",
            down("location"),
            "down at {{location}}",
            "the agent's page of incidents tells what failed first",
            colour="red",
        ),
        Annotation(
            "Paused, or in a window",
            f"{suspended('location, reason, mode')} == 1",
            "{{reason}}: {{mode}}",
            "at {{location}}; nobody was paged for it",
        ),
    ],
)
