"""Every journey at every location: where to look first."""

from __future__ import annotations

from typing import Final

from deploy.grafana.source import certificates, words
from deploy.grafana.source.dashboard import Annotation, Dashboard, Row
from deploy.grafana.source.panel import SUSPENSIONS, VERDICTS, Query
from deploy.grafana.source.panels import Bars, Chart, Stat, Timeline
from deploy.grafana.source.table import Column, Table
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
_INTERVAL: Final = journeys("footfall_journey_interval_seconds")
_SKIPPED: Final = journeys("footfall_schedule_skipped_total")
_ESCAPED: Final = journeys("footfall_beacons_total", 'action="escaped"')
_PASSED: Final = journeys("footfall_journey_duration_seconds_bucket", 'result="pass"')
_UNPLANNED: Final = journeys("footfall_schedule_skipped_total", 'reason!~"paused|maintenance"')
_EACH: Final = "by (journey, location)"
_SUSPENDED: Final = suspended("journey, location")
_SLOW: Final = f"max {_EACH} ({newest('footfall_journey_consecutive_slow')})"
_PAGE_ERRORS: Final = journeys("footfall_page_errors_total")


def _in_range(selector: str) -> str:
    return f"sum(increase({selector}[$__range])) or vector(0)"


def _of_each(selector: str) -> str:
    # A counter begins with its first event: without one, every journey that is watched has 0.
    return f"sum {_EACH} (increase({selector}[$__range])) or 0 * max {_EACH} ({_INTERVAL})"


_NOW: Final = Row(
    "Now, and in the range that is shown",
    [
        Stat(
            title="Failing",
            description="Journeys, counted once a location, whose last verdict is a fail that a "
            "second attempt confirmed. Many at once: look at the agent first.",
            queries=[Query(f"count({_UP} == 0) or vector(0)")],
            steps=words.NONE_IS_GOOD,
        ),
        Stat(
            title="Up",
            description="Journeys, counted once a location, whose last verdict is pass or flaky.",
            queries=[Query(f"count({_UP} == 1) or vector(0)")],
            steps=((words.LOWEST, "yellow"), (1, "green")),
        ),
        Stat(
            title="Without a verdict",
            description="Journeys that are on the schedule and for three intervals (five minutes "
            "at least) have neither passed nor failed: nothing is known of them. Those that are "
            "paused or in a window are left out.",
            queries=[
                Query(
                    f"count(max {_EACH} ({_INTERVAL}) unless on (journey, location) {_UP} "
                    f"unless on (journey, location) {_SUSPENDED} == 1) or vector(0)"
                )
            ],
            steps=((1, "orange"),),
        ),
        Stat(
            title="Success",
            description="Passed and flaky runs among those measured. Runs that could not be "
            "measured count neither way.",
            queries=[Query(success("$__range"))],
            unit="percentunit",
            decimals=2,
            steps=words.RATIO,
        ),
        Stat(
            title="Flaky runs",
            description="The first attempt failed and the confirming one passed: nobody is "
            "paged, and somebody should look.",
            queries=[Query(_in_range(runs('result="flaky"')))],
            decimals=0,
            steps=words.FEW_ARE_WELL,
        ),
        Stat(
            title="Not measured",
            description="Runs that the agent could not measure: its own trouble or a defect in "
            "a journey, never the site's.",
            queries=[Query(_in_range(runs('result="not_measured"')))],
            decimals=0,
            steps=((1, "purple"),),
        ),
        Stat(
            title="Skipped slots",
            description="Slots that were due and not run, those of pauses and windows left out. "
            "The agent's dashboard says why.",
            queries=[Query(_in_range(_UNPLANNED))],
            decimals=0,
            steps=words.FEW_ARE_WELL,
        ),
        Stat(
            title="Escaped beacons",
            description="Hits for vendors of analytics that got out against the policy, and "
            "count the agent as a customer there.",
            queries=[Query(_in_range(_ESCAPED))],
            decimals=0,
            steps=words.NONE_IS_GOOD,
        ),
        Stat(
            title="Suspended",
            description="Journeys, counted once a location, that are paused or in a maintenance "
            "window, or were and have no verdict since: nobody is paged for them.",
            queries=[Query(f"count({_SUSPENDED} == 1) or vector(0)")],
            steps=((1, "blue"),),
            width=6,
        ),
        Stat(
            title="Slow",
            description="Journeys, counted once a location, whose last two passes at least were "
            "above a limit that their author gave.",
            queries=[Query(f"count({_SLOW} >= 2) or vector(0)")],
            steps=words.FEW_ARE_WELL,
            width=6,
        ),
        Stat(
            title="Page errors",
            description="Uncaught errors of pages' scripts, of first and third parties.",
            queries=[Query(_in_range(_PAGE_ERRORS))],
            decimals=0,
            filled=False,
            width=6,
        ),
        certificates.SOONEST,
    ],
)
_STATUS: Final = Row(
    "Status",
    [
        Timeline(
            title="Every journey by location",
            description="Green: pass or flaky. Red: failed, and confirmed. Empty: no fresh "
            "verdict. Click for the journey.",
            queries=[Query(f"min {_EACH} ({_UP})", "{{journey}} · {{location}}")],
            height=10,
            link=("Open this journey", words.OF_SERIES),
        ),
        Timeline(
            title="Paused, or in a window",
            description="Blue: nobody is paged for it. `footfall status` says who paused it and "
            "why. It lasts until the first verdict after it.",
            queries=[
                Query(
                    suspended("journey, location, reason, mode"),
                    "{{journey}} · {{location}} · {{reason}} · {{mode}}",
                )
            ],
            states=SUSPENSIONS,
            height=6,
            none="nothing is suspended",
        ),
        Table(
            title="Every journey, in figures",
            description="Ratios and counts are those of the range that is shown.",
            by={"journey": "Journey", "location": "Location"},
            link=("Open this journey", words.OF_ROW),
            height=10,
            columns=[
                Column(title="Status", expr=f"min {_EACH} ({_UP})", states=VERDICTS),
                Column(
                    title="Failed in a row",
                    expr=f"max {_EACH} ({newest('footfall_journey_consecutive_failures')})",
                    steps=words.NONE_IS_GOOD,
                ),
                Column(
                    title="Suspended",
                    expr=f"{_SUSPENDED} or 0 * max {_EACH} ({_INTERVAL})",
                    states=SUSPENSIONS,
                ),
                Column(title="Slow in a row", expr=_SLOW, decimals=0, steps=((2, "yellow"),)),
                Column(
                    title="Success",
                    expr=success("$__range", f" {_EACH}"),
                    unit="percentunit",
                    decimals=2,
                    steps=words.RATIO,
                ),
                Column(
                    title="Flaky",
                    expr=_of_each(runs('result="flaky"')),
                    decimals=0,
                    steps=words.FEW_ARE_WELL,
                ),
                Column(
                    title="Not measured",
                    expr=_of_each(runs('result="not_measured"')),
                    decimals=0,
                    steps=((1, "purple"),),
                ),
                Column(
                    title="Skipped",
                    expr=_of_each(_SKIPPED),
                    decimals=0,
                    steps=words.FEW_ARE_WELL,
                ),
                Column(
                    title="Last success",
                    expr=f"time() - max {_EACH} "
                    f"({journeys('footfall_journey_last_success_seconds')})",
                    unit="s",
                    decimals=0,
                ),
                Column(
                    title="p95",
                    expr=quantile(0.95, _PASSED, "journey, location", "$__range"),
                    unit="s",
                    decimals=2,
                ),
            ],
        ),
    ],
)
_TIME: Final = Row(
    "Over time",
    [
        Bars(
            title="Runs by result",
            description="How many ended in each way.",
            queries=[Query(fell(runs(), "result"), "{{result}}")],
        ),
        Chart(
            title="Success by journey",
            description="Passed and flaky runs among those measured, all locations together.",
            queries=[Query(success("$__rate_interval", " by (journey)"), "{{journey}}")],
            unit="percentunit",
            every="15m",
            most=1,
            steps=words.RATIO,
            link=("Open this journey", words.OF_SERIES_ANYWHERE),
        ),
        Bars(
            title="Failed runs by error",
            description="What the target did, by journey: the kind of error says whether it "
            "answered wrongly, late or not at all.",
            queries=[
                Query(
                    fell(runs('result="fail"'), "journey, error_type"),
                    "{{journey}} · {{error_type}}",
                )
            ],
            link=("Open this journey", words.OF_SERIES_ANYWHERE),
        ),
        Bars(
            title="Not measured by error",
            description="What the agent could not do: script_error is a journey's defect, the "
            "others are the agent's own or its machine's.",
            queries=[
                Query(
                    fell(runs('result="not_measured"'), "journey, error_type"),
                    "{{journey}} · {{error_type}}",
                )
            ],
            link=("Open this journey", words.OF_SERIES_ANYWHERE),
        ),
        Bars(
            title="Flaky runs by journey",
            description="Failed once, passed when walked again at once.",
            queries=[
                Query(
                    fell(runs('result="flaky"'), "journey, error_type"),
                    "{{journey}} · {{error_type}}",
                )
            ],
            link=("Open this journey", words.OF_SERIES_ANYWHERE),
        ),
        Bars(
            title="Skipped slots by reason",
            description="overrun: the last run still went on. capacity: no worker in time. "
            "late, down, shutdown: the agent or its machine stood still. paused, maintenance: "
            "somebody wanted it.",
            queries=[Query(fell(_SKIPPED, "reason"), "{{reason}}")],
        ),
        Bars(
            title="Page errors by journey",
            description="Uncaught errors of pages' scripts, by whose script it was. They fail no "
            "run, unless its author asks for that.",
            queries=[
                Query(fell(_PAGE_ERRORS, "journey, party"), "{{journey}} · {{party}}"),
            ],
            link=("Open this journey", words.OF_SERIES_ANYWHERE),
        ),
        certificates.HOSTS,
        Chart(
            title="Duration of passed runs, p95",
            description="Of the attempt that decided the run, all locations together.",
            queries=[Query(quantile(0.95, _PASSED, "journey", "$__rate_interval"), "{{journey}}")],
            unit="s",
            every="15m",
            width=24,
            link=("Open this journey", words.OF_SERIES_ANYWHERE),
        ),
    ],
)

DASHBOARD: Final = Dashboard(
    uid="footfall-fleet",
    title="Footfall: fleet",
    description="Which journeys fail, where and since when.",
    choices=[words.ENVIRONMENT, words.LOCATION, words.SITE, words.JOURNEYS],
    rows=[_NOW, _STATUS, _TIME],
    annotations=[
        Annotation(
            "Down",
            down("journey, location"),
            "{{journey}} is down",
            "at {{location}}; the agent's page of incidents tells what failed first",
            colour="red",
        ),
    ],
)
