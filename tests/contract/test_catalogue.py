"""The published table of metrics against what a daemon really sends, both ways, on both roads,
and as a real store translates it."""

from __future__ import annotations

import os
from collections import defaultdict

import aiohttp
import pytest

from agent.core import names
from agent.telemetry.catalogue import CATALOGUE, Kind
from agent.telemetry.prometheus import prometheus_label, prometheus_series
from agent.telemetry.steps import STEP_NAMES
from tests.support.docs import Docs, code
from tests.support.story import EVERY, SOME

pytestmark = pytest.mark.timeout(290)

KINDS = {
    ("sum", "cumulative", True): Kind.COUNTER,
    ("gauge", "", False): Kind.GAUGE,
    ("histogram", "cumulative", False): Kind.HISTOGRAM,
}
TOLD = [
    row
    for more in ("more attributes", "attributes")
    for row in Docs().table("metric", "kind", "unit", more)
]
ROADS = {"http": 0, "grpc": 1}


@pytest.fixture(params=ROADS)
def arrived(request, story):
    """The points that came by one road."""
    part = story.parts[ROADS[request.param]]
    assert part.road == request.param
    return part.metrics


def test_every_name_arrives_and_no_other(arrived):
    """Each row of the published table and of the catalogue arrives, and nothing else does."""
    told = {metric.name for metric in arrived}
    assert {code(row[0])[0] for row in TOLD} == CATALOGUE.keys()
    assert told == CATALOGUE.keys()


def test_units_kinds_and_boundaries(arrived):
    """A point has the kind, the unit and the buckets of its row."""
    for metric in arrived:
        row = CATALOGUE[metric.name]
        assert metric.unit == row.unit, metric
        assert KINDS[metric.kind, metric.temporality, metric.monotonic] is row.kind, metric
        if row.kind is Kind.HISTOGRAM:
            bounds = tuple(bound for bound, _ in metric.buckets)
            assert bounds == (*row.boundaries, float("inf")), metric


def test_attributes_and_their_values(arrived):
    """A point has the keys of its row and allowed values; each key that may be left out is
    sometimes there, and where few values are allowed each of them arrives."""
    seen = defaultdict(set)
    for metric in arrived:
        row = CATALOGUE[metric.name]
        keys = metric.attributes.keys()
        assert row.attributes.keys() - row.optional <= keys <= row.attributes.keys(), metric
        for key, value in metric.attributes.items():
            allowed = row.attributes[key]
            assert allowed is None or value in allowed, metric
            seen[metric.name, key].add(value)
    for row in CATALOGUE.values():
        for key in row.attributes:
            assert seen[row.name, key], (row.name, key)
    for (name, key), values in EVERY.items():
        assert seen[name, key] == values == CATALOGUE[name].attributes[key]
    for (name, key), values in SOME.items():
        assert values <= seen[name, key]
    assert seen[names.SPOOL_DROPPED, names.SIGNAL] == {"metrics"}, "the one that was refused"


def test_errors_only_where_something_went_wrong(arrived):
    """A pass has no type of error, everything else has one."""
    for metric in arrived:
        if metric.name in {names.RUNS, names.ATTEMPTS}:
            passed = metric.attributes[names.RESULT] == "pass"
            assert (names.ERROR_TYPE in metric.attributes) is not passed, metric.attributes


def test_no_free_text(arrived):
    """No address, id or path in an attribute: a label's values are few."""
    for metric in arrived:
        for value in metric.attributes.values():
            assert "://" not in value
            assert os.sep not in value
            assert len(value) <= 40, value


def test_made_up_step_names_are_capped_and_told(story):
    """Over a kill and a restart a journey has no more step names than the bound; what is beyond
    is counted as one, and the log of each life says so."""
    steps = defaultdict(set)
    for part in story.parts:
        for metric in part.metrics:
            if metric.name == names.STEP_DURATION:
                steps[metric.attributes[names.JOURNEY]].add(metric.attributes[names.STEP])
        told = {one["journey"] for one in part.records if one["event"] == "steps.bounded"}
        assert told == {"invents"}, part.road
    assert steps["passes"] == {
        *("Open the shop", "Click what answers slowly", "Close the letter", "Tell everybody")
    }
    assert names.OTHER_STEP in steps["invents"]
    assert len(steps["invents"]) == STEP_NAMES + 1
    made_up = {span.name for span in story.spans.values() if "step Order number" in span.name}
    assert len(made_up) > 2 * STEP_NAMES, "traces keep the names, and there were more"


def test_the_resource(story):
    """Everything comes from one agent, whose instance a restart keeps."""
    signals = (part.metrics + part.logs + part.spans for part in story.parts)
    resources = [one.resource for part in signals for one in part]
    assert {key for resource in resources for key in resource} >= {
        names.SERVICE_NAME,
        names.SERVICE_VERSION,
        names.SERVICE_INSTANCE,
        names.DEPLOYMENT,
    }
    assert len({tuple(sorted(resource.items())) for resource in resources}) == 1
    assert resources[0][names.SERVICE_NAME] == "footfall"
    assert resources[0][names.DEPLOYMENT] == "test"


@pytest.mark.server
async def test_names_in_prometheus(story, victoria):
    """Once a real store has translated it, each row has the series that docs and rules
    name, with the labels of its attributes, and there are no other series."""
    expected = {
        series: {prometheus_label(key) for key in row.attributes}
        for row in CATALOGUE.values()
        for series in prometheus_series(row)
    }
    named = {code(row[-1])[0] for row in TOLD}
    assert {next(one for one in named if series.startswith(one)) for series in expected} == named
    headers = {"content-type": "application/x-protobuf"}
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        for part in story.parts:
            for body in part.bodies:
                address = victoria.otlp_metrics_endpoint
                async with session.post(address, data=body, headers=headers):
                    pass
    found = defaultdict(set)
    every = 'last_over_time({__name__!=""}[1h])'
    for labels, _ in await victoria.wait_for(every, lambda got: len(got) > len(expected)):
        found[labels.pop("__name__")] |= labels.keys()
    assert found.keys() == expected.keys()
    of_resource = set.intersection(*found.values())
    assert of_resource == {prometheus_label(key) for key in story.parts[0].metrics[0].resource}
    for name, labels in found.items():
        edge = {"le"} if name.endswith("_bucket") else set()
        assert labels - of_resource == expected[name] | edge, name
