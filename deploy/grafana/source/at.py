"""What the agent's panels select by: metrics of the agent, and those of its journeys."""

from __future__ import annotations

from typing import Final

from deploy.grafana.source.words import OF_ENVIRONMENT

AT: Final = f'{{{OF_ENVIRONMENT},location=~"$location"}}'
CHOSEN: Final = '{service_instance_id=~"$agent"}'
WATCHED: Final = f"footfall_journey_interval_seconds{AT}"
# Metrics of the agent carry its id and no location: one of its journeys lends it.
PLACE: Final = (
    "* on (service_instance_id) group_left (location) "
    f"(0 * topk by (service_instance_id) (1, {WATCHED}) + 1)"
)
EXPECTED: Final = f"footfall_schedule_expected_total{AT}"
RUNS: Final = f"footfall_journey_runs_total{AT}"
SKIPPED: Final = f"footfall_schedule_skipped_total{AT}"


def placed(metric: str, *more: str, of: str = "sum") -> str:
    """Return a gauge of the agents by location and the labels ``more``, put together by ``of``."""
    by, at = ", ".join(["service_instance_id", *more]), ", ".join(["location", *more])
    return f"{of} by ({at}) ({of} by ({by}) ({metric}{CHOSEN}) {PLACE})"


def fell(metric: str, *more: str) -> str:
    """Return how much a counter of the agents grew between two points, in the same way."""
    by, at = ", ".join(["service_instance_id", *more]), ", ".join(["location", *more])
    return f"sum by ({at}) (sum by ({by}) (increase({metric}{CHOSEN}[$__interval])) {PLACE})"
