"""The seam between the sender and the wire, and what an attempt to deliver can come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agent.core.redact import Redactor
from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.telemetry.delivery.export import Target

_SAID: Final = 300


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
        from agent.telemetry.delivery.otlp_grpc import GrpcTransport

        return GrpcTransport(target)
    from agent.telemetry.delivery.otlp_http import HttpTransport

    return HttpTransport(target)


def quoting(target: Target) -> Callable[[str], str]:
    """Return what makes one short line of a collector's own words.

    A collector that repeats the headers it was sent must not bring them into the log.
    """
    redactor = Redactor()
    for value in target.headers.values():
        redactor.add(value)
        # Without the word for the scheme, of which a server has no need to speak.
        redactor.add(value.partition(" ")[2])

    def quote(said: str) -> str:
        return " ".join(redactor.text(said).split())[:_SAID]

    return quote


def read_answer(signal: Signal, body: bytes, quote: Callable[[str], str]) -> Accepted:
    """Read how much of a payload was taken; an unreadable answer counts as all of it."""
    try:
        if signal is Signal.TRACES:
            traces = ExportTraceServiceResponse.FromString(body).partial_success
            return Accepted(traces.rejected_spans, quote(traces.error_message))
        if signal is Signal.METRICS:
            metrics = ExportMetricsServiceResponse.FromString(body).partial_success
            return Accepted(metrics.rejected_data_points, quote(metrics.error_message))
        logs = ExportLogsServiceResponse.FromString(body).partial_success
        return Accepted(logs.rejected_log_records, quote(logs.error_message))
    except DecodeError:
        return Accepted()
