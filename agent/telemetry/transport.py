"""The seam between the sender and the wire, and what an attempt to deliver can come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agent.telemetry.signals import Signal

if TYPE_CHECKING:
    from agent.telemetry.export import Target


@dataclass(frozen=True, slots=True)
class Accepted:
    """The collector took the payload, all but ``rejected`` items of it."""

    rejected: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Not now: try again, not before ``after`` seconds where the collector said so."""

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: the same payload would be refused again."""

    reason: str


Answer: TypeAlias = Accepted | Unavailable | Refused


class Transport(Protocol):
    """Delivers payloads to one target. Made for HTTP and for gRPC."""

    async def send(self, signal: Signal, payload: bytes) -> Answer:
        """Deliver one serialised request. Never raises for what the network or peer does."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def connect(target: Target) -> Transport:
    """Return the transport that speaks the target's protocol. Needs a running loop."""
    if target.protocol == "grpc":
        # Loaded only where wanted: the library costs memory and start-up time.
        from agent.telemetry.otlp_grpc import GrpcTransport

        return GrpcTransport(target)
    from agent.telemetry.otlp_http import HttpTransport

    return HttpTransport(target)


def read_answer(signal: Signal, body: bytes) -> Accepted:
    """Read how much of a payload was taken; an unreadable answer counts as all of it."""
    try:
        if signal is Signal.TRACES:
            traces = ExportTraceServiceResponse.FromString(body).partial_success
            return Accepted(traces.rejected_spans, traces.error_message)
        if signal is Signal.METRICS:
            metrics = ExportMetricsServiceResponse.FromString(body).partial_success
            return Accepted(metrics.rejected_data_points, metrics.error_message)
        logs = ExportLogsServiceResponse.FromString(body).partial_success
        return Accepted(logs.rejected_log_records, logs.error_message)
    except DecodeError:
        return Accepted()
