"""OTLP's own answers: how much of a payload was taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.transport import Accepted

if TYPE_CHECKING:
    from collections.abc import Callable

_RESPONSES: Final[dict[Signal, tuple[Any, str, str]]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
}
_UNNAMED: Final = frozenset({"", "application/octet-stream"})
_PROTOBUF: Final = frozenset({"application/x-protobuf", "application/protobuf"})


def read_http(
    signal: Signal, kind: str, body: bytes, quote: Callable[[str], str]
) -> Accepted | None:
    """Read the body of a 2xx; ``kind`` is its content type. None: it isn't OTLP that answered."""
    if not body:
        return Accepted()
    if kind == "application/json":
        return _read_json(signal, body, quote)
    if kind in _PROTOBUF:
        return read_protobuf(signal, body, quote)
    # A server that doesn't say what it sends must have sent just that, and nothing more.
    return read_protobuf(signal, body, quote, strict=True) if kind in _UNNAMED else None


def read_protobuf(
    signal: Signal, body: bytes, quote: Callable[[str], str], *, strict: bool = False
) -> Accepted | None:
    """Read a serialised response. None: it is none, or with ``strict`` holds other fields."""
    message, rejected, _ = _RESPONSES[signal]
    try:
        response = message.FromString(body)
    except DecodeError:
        return None
    if strict and len(UnknownFieldSet(response)):
        return None
    partial = response.partial_success
    return Accepted(max(0, getattr(partial, rejected)), quote(partial.error_message))


def _read_json(signal: Signal, body: bytes, quote: Callable[[str], str]) -> Accepted | None:
    _, snake, camel = _RESPONSES[signal]
    try:
        response = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(response, dict) or not response.keys() <= {
        "partialSuccess",
        "partial_success",
    }:
        return None
    partial = response.get("partialSuccess", response.get("partial_success")) or {}
    if not isinstance(partial, dict):
        return None
    words = partial.get("errorMessage", partial.get("error_message", ""))
    try:
        # Numbers of 64 bits are strings in protobuf's JSON.
        rejected = int(partial.get(camel, partial.get(snake, 0)) or 0)
    except (TypeError, ValueError, OverflowError):
        rejected = 0
    return Accepted(max(0, rejected), quote(str(words)))
