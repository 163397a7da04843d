"""A payload that is too large, in ever smaller pieces: down to single spans, records and points.

Each piece is a request of its own, with the resource and the scope of what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

_REQUESTS: Final[dict[Signal, Any]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}
_LEVELS: Final = {
    Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
    Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
}
_SHORT: Final = 64
"""Characters that are left of a text where even one item is too large."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A serialised request of ``items`` spans, records or points."""

    payload: bytes
    items: int


def halve(signal: Signal, payload: bytes) -> list[Piece]:
    """Return both halves of a request, in order; one that can't be divided comes back alone."""
    request = _REQUESTS[signal].FromString(payload)
    items = list(_items(signal, request))
    middle = (len(items) + 1) // 2
    parts = (items[:middle], items[middle:]) if len(items) > 1 else (items,)
    return [Piece(_assemble(signal, part), len(part)) for part in parts]


def shorten(signal: Signal, payload: bytes) -> bytes | None:
    """Return a request whose items say only what they must; None where that saves nothing.

    Texts are cut, and lists, links and exemplars go. Ids, names, times and numbers stay.
    """
    request = _REQUESTS[signal].FromString(payload)
    resources, scopes, leaves = _LEVELS[signal]
    for resource in getattr(request, resources):
        _cut(resource.resource.attributes)
        for scope in getattr(resource, scopes):
            for item in getattr(scope, leaves):
                _shorten_item(signal, item)
    short: bytes = request.SerializeToString()
    return short if len(short) < len(payload) else None


def _items(signal: Signal, request: Any) -> Iterator[tuple[Any, Any, Any, Any]]:  # noqa: ANN401 - protobuf's messages have no type of their own
    """Yield each item with its resource, its scope and, of a point, its metric."""
    resources, scopes, leaves = _LEVELS[signal]
    for resource in getattr(request, resources):
        for scope in getattr(resource, scopes):
            for leaf in getattr(scope, leaves):
                if signal is Signal.METRICS:
                    for point in _points(leaf):
                        yield resource, scope, leaf, point
                else:
                    yield resource, scope, None, leaf


def _points(metric: Any) -> Any:  # noqa: ANN401 - protobuf's messages have no type of their own
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _assemble(signal: Signal, items: Sequence[tuple[Any, Any, Any, Any]]) -> bytes:
    resources, scopes, leaves = _LEVELS[signal]
    request = _REQUESTS[signal]()
    last_resource = last_scope = last_metric = None
    into_resource = into_scope = into_points = None
    for resource, scope, metric, item in items:
        if resource is not last_resource:
            into_resource = getattr(request, resources).add(
                resource=resource.resource, schema_url=resource.schema_url
            )
            last_resource, last_scope = resource, None
        if scope is not last_scope:
            into_scope = getattr(into_resource, scopes).add(
                scope=scope.scope, schema_url=scope.schema_url
            )
            last_scope, last_metric = scope, None
        if metric is None:
            getattr(into_scope, leaves).append(item)
            continue
        if metric is not last_metric:
            into_points = _metric_like(getattr(into_scope, leaves).add(), metric)
            last_metric = metric
        into_points.append(item)  # type: ignore[union-attr]
    serialised: bytes = request.SerializeToString()
    return serialised


def _metric_like(new: Any, metric: Any) -> Any:  # noqa: ANN401 - protobuf's messages have no type of their own
    """Make ``new`` the same metric without its points; return where they go."""
    new.name, new.unit, new.description = metric.name, metric.unit, metric.description
    kind = metric.WhichOneof("data")
    data, old = getattr(new, kind), getattr(metric, kind)
    data.SetInParent()
    for setting in ("aggregation_temporality", "is_monotonic"):
        if hasattr(old, setting):
            setattr(data, setting, getattr(old, setting))
    return data.data_points


def _shorten_item(signal: Signal, item: Any) -> None:  # noqa: ANN401 - protobuf's messages have no type of their own
    if signal is Signal.METRICS:
        for point in _points(item):
            if hasattr(point, "exemplars"):
                del point.exemplars[:]
        item.description = ""
        return
    _cut(item.attributes)
    if signal is Signal.TRACES:
        item.name = item.name[:_SHORT]
        item.status.message = item.status.message[:_SHORT]
        del item.links[:]
        del item.events[:]
    else:
        item.body.string_value = item.body.string_value[:_SHORT]


def _cut(attributes: list[KeyValue]) -> None:
    for at in reversed(range(len(attributes))):
        value = attributes[at].value
        if value.WhichOneof("value") in {"array_value", "kvlist_value", "bytes_value"}:
            del attributes[at]
        elif value.WhichOneof("value") == "string_value":
            value.string_value = value.string_value[:_SHORT]
