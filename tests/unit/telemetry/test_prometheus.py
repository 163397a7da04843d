"""Names of the catalogue's metrics in PromQL."""

from __future__ import annotations

import pytest

from agent.core import names
from agent.telemetry.catalogue import CATALOGUE, Kind, Metric
from agent.telemetry.prometheus import prometheus_label, prometheus_name, prometheus_series


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (names.RUNS, "footfall_journey_runs_total"),
        (names.DURATION, "footfall_journey_duration_seconds"),
        (names.UP, "footfall_journey_up"),
        (names.LAST_RUN, "footfall_journey_last_run_seconds"),
        (names.CONSECUTIVE_FAILURES, "footfall_journey_consecutive_failures"),
        (names.AGENT_MEMORY, "footfall_agent_memory_bytes"),
        (names.SPOOL_BYTES, "footfall_spool_bytes"),
    ],
)
def test_a_name_has_its_unit_once_and_counters_end_in_total(metric: str, name: str) -> None:
    """Dots become underscores, units become words, annotations in braces are left out."""
    assert prometheus_name(CATALOGUE[metric]) == name


def test_a_histogram_has_three_series() -> None:
    """Buckets, sum and count; everything else is one series."""
    assert prometheus_series(CATALOGUE[names.WEB_VITAL_CLS]) == (
        "footfall_web_vital_cls_bucket",
        "footfall_web_vital_cls_sum",
        "footfall_web_vital_cls_count",
    )
    assert prometheus_series(CATALOGUE[names.UP]) == ("footfall_journey_up",)


def test_a_unit_without_a_word_is_refused() -> None:
    """Nobody guesses what a store would make of it."""
    with pytest.raises(KeyError):
        prometheus_name(Metric("footfall.share", Kind.GAUGE, "%", ""))


def test_no_two_metrics_share_a_series() -> None:
    """Two rows that fell together would be one in the store."""
    series = [name for metric in CATALOGUE.values() for name in prometheus_series(metric)]
    assert len(series) == len(set(series))


def test_labels() -> None:
    """The label of ``error.type`` is what alerts group by."""
    assert prometheus_label(names.ERROR_TYPE) == "error_type"
