"""OTLP over gRPC, with payloads that are already serialised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.transport import Refused, Unavailable, quoting, read_answer

if TYPE_CHECKING:
    from agent.telemetry.delivery.export import Target
    from agent.telemetry.delivery.transport import Answer

_METHODS: Final = {
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_PASSING: Final = frozenset(
    {
        # Said of who sends and where to, not of the payload: see the HTTP side.
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
# The sender has its own back-off; the channel's would keep it off a collector that is back.
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class GrpcTransport:
    """Calls one collector over a kept channel."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._quote = quoting(target)
        parts = urlsplit(target.url)
        compression = (
            grpc.Compression.Gzip
            if target.compression == "gzip"
            else grpc.Compression.NoCompression
        )
        if parts.scheme == "https":
            roots = Path(target.certificate).read_bytes() if target.certificate else None
            self._channel = grpc.aio.secure_channel(
                parts.netloc,
                grpc.ssl_channel_credentials(roots),
                options=_OPTIONS,
                compression=compression,
            )
        else:
            self._channel = grpc.aio.insecure_channel(
                parts.netloc, options=_OPTIONS, compression=compression
            )
        self._calls = {
            signal: self._channel.unary_unary(method) for signal, method in _METHODS.items()
        }
        self._metadata = tuple(target.headers.items())

    async def send(self, signal: Signal, payload: bytes) -> Answer:
        """Make one call."""
        try:
            answer: bytes = await self._calls[signal](
                payload, timeout=self._target.timeout, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            code = error.code()
            after = _retry_after(error)
            said = self._quote(error.details() or "")
            reason = f"gRPC {code.name}: {said}" if said else f"gRPC {code.name}"
            # Exhausted means "later" only where the server says when.
            exhausted = code is grpc.StatusCode.RESOURCE_EXHAUSTED and after is not None
            return Unavailable(reason, after) if exhausted or code in _PASSING else Refused(reason)
        return read_answer(signal, answer, self._quote)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


def _retry_after(error: grpc.aio.AioRpcError) -> float | None:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            try:
                status = Status.FromString(value)
            except DecodeError:
                return None
            for detail in status.details:
                info = RetryInfo()
                if detail.Unpack(info):
                    seconds: float = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
                    return seconds
    return None
