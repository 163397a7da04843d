"""The metrics of the catalogue, from totals, gauges and measurements to one OTLP payload.

One reader only: reading clears the exemplars, so a second one would steal them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Histogram, MeterProvider, ObservableCounter, ObservableGauge
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from agent.core import names
from agent.core.results import Result, StepOutcome
from agent.telemetry import exemplars, spans
from agent.telemetry.attributes import NAME, fit_text
from agent.telemetry.catalogue import CATALOGUE, Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opentelemetry import metrics as api
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )
    from opentelemetry.sdk.resources import Resource

    from agent.core.results import Attempt, RunResult
    from agent.storage.totals import Total
    from agent.telemetry.exemplars import Exemplar
    from agent.telemetry.steps import StepNames

# The SDK folds all sets beyond 2,000 an instrument into one; 50 steps with 2 results each
# come to that with 20 journeys.
_ATTRIBUTE_SETS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a gauge at one moment, for one set of attributes."""

    metric: str
    attributes: Mapping[str, str]
    value: float


class Metrics:
    """The instruments. ``collect`` may run in another thread than the rest, never in two."""

    def __init__(self, resource: Resource, version: str, epoch: float, steps: StepNames) -> None:
        self._steps = steps
        self._epoch_ns = int(epoch * 1e9)
        self._reader = InMemoryMetricReader(
            cardinality_limits=dict.fromkeys(
                (Histogram, ObservableCounter, ObservableGauge), _ATTRIBUTE_SETS
            )
        )
        self._provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self._observed: Mapping[str, list[Observation]] = {}
        self._histograms: dict[str, api.Histogram] = {}
        meter = self._provider.get_meter(names.SCOPE, version)
        for metric in CATALOGUE.values():
            self._create(meter, metric)

    def observe_run(self, run: RunResult) -> None:
        """Record the durations and vitals of a finished run, with its trace as exemplar."""
        if not run.attempts:
            return
        attempt = run.attempts[run.decided_by]
        self._record(
            run, names.DURATION, attempt.duration, run.span_id, {names.RESULT: attempt.result}
        )
        if attempt.result is Result.NOT_MEASURED:
            # The agent's trouble took this time, not the target.
            return
        span_ids = _step_spans(attempt)
        for step in attempt.steps:
            if step.duration is not None and step.result is not StepOutcome.SKIPPED:
                name = self._steps.bounded(
                    run.journey.name, fit_text(step.name, NAME), run.ended_at
                )
                self._record(
                    run,
                    names.STEP_DURATION,
                    step.duration,
                    next(span_ids[step.name], attempt.span_id),
                    {names.STEP: name, names.RESULT: step.result},
                )
        for vital in attempt.vitals:
            where = vital.span_id or attempt.span_id
            if vital.vital == "cls":
                self._record(run, names.WEB_VITAL_CLS, vital.value, where, {})
            else:
                self._record(run, names.WEB_VITAL, vital.value, where, {names.VITAL: vital.vital})

    def observe_lateness(self, attributes: Mapping[str, str], seconds: float) -> None:
        """Record how long after its slot a run started."""
        self._histograms[names.SCHEDULE_LATENESS].record(seconds, dict(attributes))

    def collect(
        self,
        totals: Iterable[Total],
        readings: Iterable[Reading],
        now: float,
        told: Iterable[Exemplar] = (),
    ) -> tuple[bytes, int]:
        """Return a serialised ``ExportMetricsServiceRequest``, and how many points it has.

        ``told`` are the runs that stand for what the totals have come to.

        All of them are of ``now``, Unix seconds.
        """
        observed: dict[str, list[Observation]] = defaultdict(list)
        for total in totals:
            observed[total.metric].append(Observation(total.value, total.attributes))
        for reading in readings:
            observed[reading.metric].append(Observation(reading.value, reading.attributes))
        self._observed = observed
        data = self._reader.get_metrics_data()
        if data is None:
            return b"", 0
        request = encode_metrics(data)
        points = self._date(request, int(now * 1e9))
        exemplars.attach(request, told, int(now * 1e9))
        return request.SerializeToString(), points

    def close(self) -> None:
        """Let go of the SDK's provider."""
        self._provider.shutdown()

    def _create(self, meter: api.Meter, metric: Metric) -> None:
        if metric.kind is Kind.COUNTER:
            meter.create_observable_counter(
                metric.name, [self._callback(metric.name)], metric.unit, metric.description
            )
        elif metric.kind is Kind.GAUGE:
            meter.create_observable_gauge(
                metric.name, [self._callback(metric.name)], metric.unit, metric.description
            )
        else:
            self._histograms[metric.name] = meter.create_histogram(
                metric.name,
                metric.unit,
                metric.description,
                explicit_bucket_boundaries_advisory=metric.boundaries,
            )

    def _callback(self, name: str) -> Callable[[api.CallbackOptions], Iterable[Observation]]:
        return lambda _: self._observed.get(name, ())

    def _record(
        self, run: RunResult, name: str, value: float, span_id: str, attributes: Mapping[str, str]
    ) -> None:
        context = set_span_in_context(NonRecordingSpan(spans.context(run.trace_id, span_id)))
        self._histograms[name].record(value, {**of_run(run), **attributes}, context)

    def _date(self, request: ExportMetricsServiceRequest, now_ns: int) -> int:
        """Date all points, and start every counter at the totals' epoch; count the points.

        No restart moves that epoch. No point may start after its own time, as it would once
        the clock was set back.
        """
        points = 0
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.gauge.data_points:
                        point.time_unix_nano = now_ns
                    for sum_ in metric.sum.data_points:
                        sum_.time_unix_nano = now_ns
                        sum_.start_time_unix_nano = min(self._epoch_ns, now_ns)
                    for histogram in metric.histogram.data_points:
                        histogram.time_unix_nano = now_ns
                        histogram.start_time_unix_nano = min(histogram.start_time_unix_nano, now_ns)
                    points += len(metric.gauge.data_points) + len(metric.sum.data_points)
                    points += len(metric.histogram.data_points)
        return points


def of_run(run: RunResult) -> dict[str, str]:
    """Return the attributes that all metrics of a journey carry."""
    return {
        names.JOURNEY: run.journey.name,
        names.SITE: run.journey.site.name,
        names.LOCATION: run.location,
    }


def _step_spans(attempt: Attempt) -> defaultdict[str, Iterator[str]]:
    """Return the spans of each step's name in the order of their ends, which is the steps' own."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for span in attempt.spans:
        if isinstance(name := span.attributes.get(names.STEP_NAME), str):
            found[name].append(span.span_id)
    spans_of: defaultdict[str, Iterator[str]] = defaultdict(lambda: iter(()))
    spans_of.update((name, iter(ids)) for name, ids in found.items())
    return spans_of
