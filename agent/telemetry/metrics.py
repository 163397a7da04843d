"""The metrics of the catalogue, from totals, histograms and gauges to one OTLP payload.

The points are built by hand: the SDK's instruments would count from each start anew.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import Exemplar as EncodedExemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from agent.core import names
from agent.telemetry.catalogue import CATALOGUE, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource

    from agent.storage.totals import Total
    from agent.telemetry.exemplars import Exemplar
    from agent.telemetry.histograms import Distribution


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a gauge at one moment, for one set of attributes."""

    metric: str
    attributes: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Collection:
    """What all metrics come to at Unix time ``now``; counters count since ``epoch``."""

    epoch: float
    now: float
    totals: Sequence[Total] = ()
    distributions: Sequence[Distribution] = ()
    readings: Sequence[Reading] = ()
    exemplars: Sequence[Exemplar] = field(default=())
    """The runs that stand for what the totals have come to."""


def encode_collection(
    collection: Collection, resource: Resource, version: str
) -> tuple[bytes, int]:
    """Return a serialised ``ExportMetricsServiceRequest``, and how many points it has."""
    points = _Points(collection)
    metrics = [
        metric for name in CATALOGUE if (metric := _metric(name, points.of[name])) is not None
    ]
    scope = ScopeMetrics(InstrumentationScope(names.SCOPE, version), metrics, "")
    data = MetricsData([ResourceMetrics(resource, [scope], "")])
    number = sum(len(metric.data.data_points) for metric in metrics)
    return encode_metrics(data).SerializeToString() if number else b"", number


class _Points:
    """The points of each metric, all of one moment.

    No restart moves the time from which they count, and none starts after its own time, as it
    would once the clock was set back.
    """

    def __init__(self, collection: Collection) -> None:
        self._now = int(collection.now * 1e9)
        self._start = min(int(collection.epoch * 1e9), self._now)
        self._runs = {
            (one.metric, frozenset(one.attributes.items())): one for one in collection.exemplars
        }
        self.of: defaultdict[str, list[NumberDataPoint | HistogramDataPoint]] = defaultdict(list)
        for total in collection.totals:
            self.of[total.metric].append(self._of_total(total))
        for distribution in collection.distributions:
            self.of[distribution.metric].append(self._of_distribution(distribution))
        for one in collection.readings:
            self.of[one.metric].append(NumberDataPoint(one.attributes, 0, self._now, one.value))

    def _of_total(self, total: Total) -> NumberDataPoint:
        run = self._runs.get((total.metric, frozenset(total.attributes.items())))
        exemplars = [self._exemplar(1, run.trace_id, run.span_id, run.at)] if run else []
        return NumberDataPoint(total.attributes, self._start, self._now, total.value, exemplars)

    def _of_distribution(self, one: Distribution) -> HistogramDataPoint:
        return HistogramDataPoint(
            attributes=one.attributes,
            start_time_unix_nano=self._start,
            time_unix_nano=self._now,
            count=sum(one.buckets),
            sum=one.total,
            bucket_counts=one.buckets,
            explicit_bounds=CATALOGUE[one.metric].boundaries,
            min=one.least,
            max=one.most,
            exemplars=[
                self._exemplar(run.value, run.trace_id, run.span_id, run.at)
                for run in one.runs.values()
            ],
        )

    def _exemplar(self, value: float, trace_id: str, span_id: str, at: float) -> EncodedExemplar:
        moment = min(int(at * 1e9), self._now)
        return EncodedExemplar({}, value, moment, int(span_id, 16), int(trace_id, 16))


def _metric(name: str, points: list[NumberDataPoint | HistogramDataPoint]) -> Metric | None:
    if not points:
        return None
    row = CATALOGUE[name]
    cumulative = AggregationTemporality.CUMULATIVE
    data: Sum | Gauge | Histogram
    if row.kind is Kind.COUNTER:
        data = Sum(points, cumulative, is_monotonic=True)  # type: ignore[arg-type]
    elif row.kind is Kind.GAUGE:
        data = Gauge(points)  # type: ignore[arg-type]
    else:
        data = Histogram(points, cumulative)  # type: ignore[arg-type]
    return Metric(name, row.description, row.unit, data)
