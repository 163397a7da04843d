"""What arrived over OTLP, flattened: one small object for each span, point and log record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1 import trace_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.metrics.v1 import metrics_pb2

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """Ids are lower-case hex; ``kind`` and ``status`` are OTLP's words in lower case."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    kind: str
    status: str
    message: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    links: tuple[tuple[str, str], ...]
    events: tuple[tuple[str, Attributes], ...]
    scope: str
    resource: Attributes


@dataclass(frozen=True)
class Exemplar:
    """One exemplar of a point."""

    trace_id: str
    span_id: str
    value: float
    time_ns: int


@dataclass(frozen=True)
class Metric:
    """One point. ``value`` is None for histograms, the histogram's fields are empty for others.

    ``kind`` is ``sum``, ``gauge`` or ``histogram``; ``temporality`` is ``cumulative``,
    ``delta``, or empty for a gauge; ``buckets`` pairs each upper bound with its own count,
    the last one with ``inf``.
    """

    name: str
    unit: str
    kind: str
    temporality: str
    monotonic: bool
    attributes: Attributes
    value: float | None
    count: int
    sum: float
    buckets: tuple[tuple[float, int], ...]
    start_ns: int
    time_ns: int
    exemplars: tuple[Exemplar, ...]
    resource: Attributes


@dataclass(frozen=True)
class Log:
    """One log record; ``severity`` is ``INFO``, ``WARN``, ``ERROR`` and so on."""

    event_name: str
    body: Any
    severity: str
    trace_id: str
    span_id: str
    time_ns: int
    attributes: Attributes
    resource: Attributes


def spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """Every span of a request."""
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield Span(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    kind=_word(trace_pb2.Span.SpanKind.Name(span.kind), "SPAN_KIND_"),
                    status=_word(
                        trace_pb2.Status.StatusCode.Name(span.status.code), "STATUS_CODE_"
                    ),
                    message=span.status.message,
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    attributes=_attributes(span.attributes),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    events=tuple(
                        (event.name, _attributes(event.attributes)) for event in span.events
                    ),
                    scope=scoped.scope.name,
                    resource=resource,
                )


def metrics(request: ExportMetricsServiceRequest) -> Iterator[Metric]:
    """Every point of a request."""
    for group in request.resource_metrics:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_metrics:
            for metric in scoped.metrics:
                yield from _points(metric, resource)


def logs(request: ExportLogsServiceRequest) -> Iterator[Log]:
    """Every log record of a request."""
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            for record in scoped.log_records:
                yield Log(
                    event_name=record.event_name,
                    body=_value(record.body),
                    severity=SeverityNumber.Name(record.severity_number).removeprefix(
                        "SEVERITY_NUMBER_"
                    ),
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    time_ns=record.time_unix_nano,
                    attributes=_attributes(record.attributes),
                    resource=resource,
                )


def _points(metric: metrics_pb2.Metric, resource: Attributes) -> Iterator[Metric]:
    kind = metric.WhichOneof("data")
    if kind not in {"sum", "gauge", "histogram"}:
        raise AssertionError(f"{metric.name} is a {kind}, which this suite does not know")
    data = getattr(metric, kind)
    temporality = (
        ""
        if kind == "gauge"
        else _word(
            AggregationTemporality.Name(data.aggregation_temporality), "AGGREGATION_TEMPORALITY_"
        )
    )
    for point in data.data_points:
        histogram = kind == "histogram"
        yield Metric(
            name=metric.name,
            unit=metric.unit,
            kind=kind,
            temporality=temporality,
            monotonic=kind == "sum" and data.is_monotonic,
            attributes=_attributes(point.attributes),
            value=None if histogram else _number(point),
            count=point.count if histogram else 0,
            sum=point.sum if histogram else 0.0,
            buckets=(
                tuple(zip([*point.explicit_bounds, float("inf")], point.bucket_counts, strict=True))
                if histogram
                else ()
            ),
            start_ns=point.start_time_unix_nano,
            time_ns=point.time_unix_nano,
            exemplars=tuple(
                Exemplar(
                    exemplar.trace_id.hex(),
                    exemplar.span_id.hex(),
                    _number(exemplar),
                    exemplar.time_unix_nano,
                )
                for exemplar in point.exemplars
            ),
            resource=resource,
        )


def _number(point: metrics_pb2.NumberDataPoint | metrics_pb2.Exemplar) -> float:
    chosen = point.WhichOneof("value")
    if chosen is None:
        raise AssertionError("a point arrived without a value")
    return getattr(point, chosen)


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    chosen = value.WhichOneof("value")
    if chosen is None:
        return None
    if chosen == "array_value":
        return [_value(item) for item in value.array_value.values]
    if chosen == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, chosen)


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()
