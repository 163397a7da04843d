"""What several dashboards say alike: choices, selectors, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.core.model import DOWN_CONFIRMED
from deploy.grafana.source.dashboard import Choice

if TYPE_CHECKING:
    from deploy.grafana.source.panel import Steps

OF_ENVIRONMENT: Final = 'deployment_environment_name=~"$environment"'
ENVIRONMENT: Final = Choice(
    "environment",
    "Environment",
    "footfall_journey_interval_seconds",
    "deployment_environment_name",
    every=".*",
)
LOCATION: Final = Choice(
    "location", "Location", f"footfall_journey_interval_seconds{{{OF_ENVIRONMENT}}}", "location"
)
SITE: Final = Choice(
    "site",
    "Site",
    f'footfall_journey_interval_seconds{{{OF_ENVIRONMENT},location=~"$location"}}',
    "site",
)
JOURNEYS: Final = Choice(
    "journey",
    "Journey",
    f'footfall_journey_interval_seconds{{{OF_ENVIRONMENT},location=~"$location",site=~"$site"}}',
    "journey",
)

CHOSEN: Final = f'{OF_ENVIRONMENT},location=~"$location",site=~"$site",journey=~"$journey"'
"""The labels of what was chosen, for every metric of journeys."""

TO_JOURNEY: Final = (
    "/d/footfall-journey?var-journey=%s&var-location=%s"
    "&${environment:queryparam}&${datasource:queryparam}&${__url_time_range}"
)
OF_SERIES: Final = TO_JOURNEY % ("${__field.labels.journey}", "${__field.labels.location}")
OF_SERIES_ANYWHERE: Final = TO_JOURNEY % ("${__field.labels.journey}", "$__all")
OF_ROW: Final = TO_JOURNEY % ("${__data.fields.Journey}", "${__data.fields.Location}")

LOWEST: Final = float("-inf")
NONE_IS_GOOD: Final[Steps] = ((1, "red"),)
FEW_ARE_WELL: Final[Steps] = ((1, "yellow"),)
RATIO: Final[Steps] = ((LOWEST, "red"), (0.95, "yellow"), (0.99, "green"))


_EACH: Final = "deployment_environment_name, journey, site, location"
_LIFE: Final = "service_instance_id, service_version"


def journeys(metric: str, *more: str) -> str:
    """Return the selector of a metric of the chosen journeys."""
    return f"{metric}{{{','.join([CHOSEN, *more])}}}"


def runs(*more: str) -> str:
    """Return the selector of runs."""
    return journeys("footfall_journey_runs_total", *more)


def suspended(by: str) -> str:
    """Return 1 where the chosen journeys are paused or in a window, 0 where they were of late."""
    return f"max by ({by}) ({journeys('footfall_journey_suspended')})"


def newest(metric: str) -> str:
    """Return how the chosen journeys stand at each location.

    Where several replicas share one, that is read from the one that walked a journey last: the
    others tell how it stood when they did.
    """
    told, last = journeys(metric), journeys("footfall_journey_last_run_seconds")
    return (
        f"max by ({_EACH}) ({told} and on ({_EACH}, {_LIFE}) "
        f"topk by ({_EACH}) (1, {last} and on ({_EACH}, {_LIFE}) {told}))"
    )


def down(by: str) -> str:
    """Return the fails in a row of the chosen journeys that are down, as incidents count them."""
    return f"max by ({by}) ({newest('footfall_journey_consecutive_failures')}) >= {DOWN_CONFIRMED}"


def success(over: str, by: str = "") -> str:
    """Return the share of passed runs among those that were measured; 0 where none passed."""
    good, measured = (
        f"sum{by} (increase({runs(results)}[{over}]))"
        for results in ('result=~"pass|flaky"', 'result!="not_measured"')
    )
    return f"({good} or 0 * {measured}) / {measured}"


def fell(selector: str, by: str) -> str:
    """Return how much a counter grew between two points, for each set of the labels ``by``."""
    return f"sum by ({by}) (increase({selector}[$__interval]))"


def quantile(of: float, histogram: str, by: str, over: str) -> str:
    """Return a quantile of a histogram's selector, for each set of the labels ``by``."""
    return f"histogram_quantile({of}, sum by (le, {by}) (rate({histogram}[{over}])))"
