from __future__ import annotations

import sqlite3
from dataclasses import replace
from functools import partial

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from agent.core import names
from agent.core.results import Result, Step, StepOutcome, Vital
from agent.storage.totals import Total
from agent.telemetry import histograms, measurements, steps
from agent.telemetry.catalogue import CATALOGUE, Kind
from agent.telemetry.exemplars import Exemplar
from agent.telemetry.histograms import RunOfBucket
from agent.telemetry.metrics import Collection, Reading, encode_collection
from agent.telemetry.resource import describe
from agent.telemetry.steps import STEP_NAMES, StepNames

EPOCH = 1_700_000_000.0


class Measured:
    """A database that runs are recorded in, as telemetry does it."""

    def __init__(self, identity):
        self.identity = identity
        self.connection = sqlite3.connect(":memory:")
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(histograms.SCHEMA + steps.SCHEMA)
        self.steps = StepNames()

    def observe_run(self, run):
        bounded = partial(self.steps.bounded, self.connection, now=run.ended_at)
        for one in measurements.of_result(run, bounded):
            told = RunOfBucket(one.value, run.trace_id, one.span_id, run.ended_at)
            histograms.record(self.connection, one.metric, one.attributes, one.value, told)


@pytest.fixture
def metrics(identity):
    measured = Measured(identity)
    yield measured
    measured.connection.close()


def collected(metrics, totals=(), readings=(), now=EPOCH + 60, told=()):
    distributions = histograms.read(metrics.connection)
    collection = Collection(EPOCH, now, totals, distributions, readings, told)
    resource = describe(metrics.identity, {})
    payload, items = encode_collection(collection, resource, metrics.identity.version)
    found = {}
    points = 0
    for resource in ExportMetricsServiceRequest.FromString(payload).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = metric
                points += len(getattr(metric, metric.WhichOneof("data")).data_points)
    assert items == points
    return found


def labels(point):
    return {pair.key: pair.value.string_value for pair in point.attributes}


def test_a_counter_starts_at_the_epoch_and_is_cumulative(metrics):
    """A restarted agent goes on with the same counter: same start, same sum."""
    found = collected(metrics, [Total(names.RUNS, {"journey": "j"}, 41)])
    (point,) = found[names.RUNS].sum.data_points
    assert point.as_int == 41
    assert point.start_time_unix_nano == int(EPOCH * 1e9)
    assert found[names.RUNS].sum.is_monotonic
    assert found[names.RUNS].sum.aggregation_temporality == 2


def test_no_point_starts_after_its_time(metrics, make_run):
    """Once the clock was set back, points carry the new time and start no later."""
    metrics.observe_run(make_run())
    total = Total(names.RUNS, {"journey": "j"}, 41)
    found = collected(metrics, [total], now=EPOCH - 3600)
    points = [*found[names.RUNS].sum.data_points, *found[names.DURATION].histogram.data_points]
    assert len(points) == 2
    for point in points:
        assert point.start_time_unix_nano <= point.time_unix_nano == int((EPOCH - 3600) * 1e9)


def test_a_gauge_that_is_no_longer_read_is_gone(metrics):
    """A removed journey leaves no gauge behind."""
    reading = Reading(names.UP, {"journey": "j"}, 1)
    assert collected(metrics, readings=[reading])[names.UP].gauge.data_points[0].as_int == 1
    assert names.UP not in collected(metrics)


def test_durations_carry_the_run_as_exemplar(metrics, make_run):
    """From a histogram one click leads to the trace, and for a step to that very step."""
    run = make_run(Result.FAIL)
    metrics.observe_run(run)
    found = collected(metrics)
    (exemplar,) = found[names.DURATION].histogram.data_points[0].exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex()) == (run.trace_id, run.span_id)
    assert exemplar.as_double == 1.5
    (exemplar,) = found[names.STEP_DURATION].histogram.data_points[0].exemplars
    assert exemplar.span_id.hex() == "b000000000000002"


def test_steps_of_one_name_each_lead_to_themselves(metrics, make_run):
    """A step that comes again has a span of its own, and its exemplar names that one."""
    run = make_run()
    (attempt,) = run.attempts
    (span,) = [span for span in attempt.spans if span.name == "step Pay"]
    spans = tuple(replace(span, span_id=f"e00000000000000{n}") for n in range(2))
    steps = tuple(Step("Pay", StepOutcome.PASS, seconds) for seconds in (0.03, 40.0))
    metrics.observe_run(replace(run, attempts=(replace(attempt, spans=spans, steps=steps),)))
    (point,) = collected(metrics)[names.STEP_DURATION].histogram.data_points
    told = {exemplar.as_double: exemplar.span_id.hex() for exemplar in point.exemplars}
    assert told == {0.03: "e000000000000000", 40.0: "e000000000000001"}


def test_a_vital_leads_to_the_step_that_saw_it(metrics, make_run):
    """From a slow paint one click leads to the step that painted."""
    run = make_run()
    (attempt,) = run.attempts
    vitals = (Vital("lcp", 1.2, "e000000000000001"), Vital("cls", 0.1, "e000000000000002"))
    metrics.observe_run(replace(run, attempts=(replace(attempt, vitals=vitals),)))
    found = collected(metrics)
    for name, span_id in (
        (names.WEB_VITAL, "e000000000000001"),
        (names.WEB_VITAL_CLS, "e000000000000002"),
    ):
        (exemplar,) = found[name].histogram.data_points[0].exemplars
        assert (exemplar.trace_id.hex(), exemplar.span_id.hex()) == (run.trace_id, span_id)


def test_a_counter_carries_its_exemplar_on_its_own_series_only(metrics):
    """One run stands for a series, counts as one, and isn't later than the point."""
    passed, failed = ({"journey": "j", "result": word} for word in ("pass", "fail"))
    totals = [Total(names.RUNS, passed, 7), Total(names.RUNS, failed, 2)]
    run = Exemplar(names.RUNS, failed, "0a" * 16, "0b" * 8, EPOCH + 30)
    late = replace(run, metric=names.ATTEMPTS, at=EPOCH + 99)
    totals.append(Total(names.ATTEMPTS, failed, 4))
    found = collected(metrics, totals, told=[run, late])
    points = {labels(p)["result"]: p for p in found[names.RUNS].sum.data_points}
    assert not points["pass"].exemplars
    (exemplar,) = points["fail"].exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex()) == (run.trace_id, run.span_id)
    assert exemplar.as_int == 1
    assert exemplar.time_unix_nano == int((EPOCH + 30) * 1e9)
    (late_one,) = found[names.ATTEMPTS].sum.data_points[0].exemplars
    assert late_one.time_unix_nano == int((EPOCH + 60) * 1e9)


def test_a_run_fills_the_histograms_of_the_catalogue(metrics, make_run):
    """Attributes, units and boundaries are those that are published."""
    metrics.observe_run(make_run())
    found = collected(metrics)
    assert set(found) == {
        names.DURATION,
        names.STEP_DURATION,
        names.WEB_VITAL,
        names.WEB_VITAL_CLS,
    }
    of_run = {"journey": "buy_a_mug", "site": "shop", "location": "eu-west-1"}
    assert {name: [labels(p) for p in m.histogram.data_points] for name, m in found.items()} == {
        names.DURATION: [{**of_run, "result": "pass"}],
        names.STEP_DURATION: [{**of_run, "step": "Pay", "result": "pass"}],
        names.WEB_VITAL: [{**of_run, "vital": "lcp"}],
        names.WEB_VITAL_CLS: [of_run],
    }
    for name, metric in found.items():
        assert metric.unit == CATALOGUE[name].unit
        assert tuple(metric.histogram.data_points[0].explicit_bounds) == (
            CATALOGUE[name].boundaries
        )


def test_what_was_not_measured_is_no_time_of_the_target(metrics, make_run):
    """A run that the agent failed to measure leaves steps and vitals alone."""
    metrics.observe_run(make_run(Result.NOT_MEASURED))
    assert set(collected(metrics)) == {names.DURATION}


def test_a_run_without_attempts_has_no_duration(metrics, make_run):
    """A run whose worker never answered took no time of anybody's."""
    metrics.observe_run(replace(make_run(Result.NOT_MEASURED), attempts=()))
    assert collected(metrics) == {}


def test_step_names_are_bounded(metrics, make_run):
    """A journey that makes up step names can't flood the metrics store."""
    run = make_run()
    (attempt,) = run.attempts
    steps = tuple(Step(f"Step {n}", StepOutcome.PASS, 0.1) for n in range(STEP_NAMES + 9))
    metrics.observe_run(replace(run, attempts=(replace(attempt, steps=steps),)))
    points = collected(metrics)[names.STEP_DURATION].histogram.data_points
    counts = {labels(point)["step"]: point.count for point in points}
    assert len(counts) == STEP_NAMES + 1
    assert counts[names.OTHER_STEP] == 9


def test_a_long_step_name_is_cut(metrics, make_run):
    """What a journey puts into a name can't make a store refuse the points."""
    run = make_run()
    (attempt,) = run.attempts
    steps = (Step("Pay " * 1000, StepOutcome.PASS, 0.1),)
    metrics.observe_run(replace(run, attempts=(replace(attempt, steps=steps),)))
    (point,) = collected(metrics)[names.STEP_DURATION].histogram.data_points
    assert labels(point)["step"] == "Pay " * 50


def test_more_attribute_sets_than_the_library_allows_by_default(metrics):
    """A large fleet of journeys is not folded into one overflow series."""
    totals = [Total(names.RUNS, {"journey": f"j{n}"}, 1) for n in range(2100)]
    assert len(collected(metrics, totals)[names.RUNS].sum.data_points) == 2100


def test_a_histogram_goes_on_where_it_was(metrics, make_run):
    """What was measured before is in it, each value in its bucket, and the run that was told of
    once is told no more."""
    for seconds in (0.05, 0.1, 7.0, 500.0):
        run = make_run()
        attempt = replace(run.attempts[0], duration=seconds)
        metrics.observe_run(replace(run, attempts=(attempt,)))
    (point,) = collected(metrics)[names.DURATION].histogram.data_points
    assert (point.count, point.sum, point.min, point.max) == (4, 507.15, 0.05, 500.0)
    counts = dict(zip([*point.explicit_bounds, "more"], point.bucket_counts, strict=True))
    assert {bound: n for bound, n in counts.items() if n} == {0.1: 2, 7.5: 1, "more": 1}
    assert sorted(one.as_double for one in point.exemplars) == [0.1, 7.0, 500.0]
    told = histograms.read(metrics.connection)
    metrics.observe_run(make_run())
    histograms.forget(metrics.connection, told)
    (point,) = collected(metrics)[names.DURATION].histogram.data_points
    assert point.count == 5
    assert [one.as_double for one in point.exemplars] == [1.5]


def test_other_boundaries_start_a_histogram_anew(metrics, make_run):
    """What another version counted in other buckets is neither added up nor in the way."""
    metrics.observe_run(make_run())
    metrics.connection.execute("UPDATE telemetry_histograms SET buckets = '[1, 2]'")
    assert names.DURATION not in collected(metrics)
    metrics.observe_run(make_run())
    (point,) = collected(metrics)[names.DURATION].histogram.data_points
    assert (point.count, point.sum) == (1, 1.5)


def test_up_has_no_unit_and_seconds_have_boundaries():
    """A gauge of unit 1 is renamed on its way; default buckets are made for milliseconds."""
    assert CATALOGUE[names.UP].unit == ""
    for metric in CATALOGUE.values():
        assert bool(metric.boundaries) == (metric.kind is Kind.HISTOGRAM)
