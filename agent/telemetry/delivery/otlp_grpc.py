"""OTLP over gRPC, with payloads that are already serialised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from agent.telemetry.delivery.quoting import quoting
from agent.telemetry.delivery.response import read_protobuf
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.tls import context_of
from agent.telemetry.delivery.transport import Refused, TooLarge, Unavailable

if TYPE_CHECKING:
    from agent.telemetry.delivery.destination import Target
    from agent.telemetry.delivery.transport import Answer

_METHODS: Final = {
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_REFUSED: Final = frozenset(
    {
        # What is said of the payload. All else is said of who sends, where to and when.
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)
_TOO_LARGE: Final = re.compile(
    r"larger than max|too large|message (?:size|length)|status: 413"
    r"|exceed\w* (?:the )?max\w* (?:\w+ )?(?:size|length)",
    re.IGNORECASE,
)
"""How servers and their gateways, each under another code, say that a message has too many
bytes."""
_SIZES: Final = frozenset(
    {
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.INVALID_ARGUMENT,
    }
)
# The sender has its own back-off; the channel's would keep it off a collector that is back.
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


def credentials_of(target: Target) -> grpc.ChannelCredentials | None:
    """Return whom to trust and who to be; None where nothing is encrypted. It reads the files.

    Raises:
        ValueError: a file can't be used.

    """
    if urlsplit(target.url).scheme != "https":
        return None
    # The library takes what it can't read for nothing at all.
    context_of(target)
    return grpc.ssl_channel_credentials(
        _content(target.certificate),
        _content(target.client_key or target.client_certificate),
        _content(target.client_certificate),
    )


class GrpcTransport:
    """Calls one collector over a kept channel."""

    def __init__(self, target: Target, credentials: grpc.ChannelCredentials | None) -> None:
        self._target = target
        self._quote = quoting(target)
        host = urlsplit(target.url).netloc.rpartition("@")[2]
        compression = (
            grpc.Compression.Gzip
            if target.compression == "gzip"
            else grpc.Compression.NoCompression
        )
        # The library would read the variables by rules of its own.
        proxy = ("grpc.http_proxy", target.proxy) if target.proxy else ("grpc.enable_http_proxy", 0)
        given: dict[str, Any] = {"options": (*_OPTIONS, proxy), "compression": compression}
        self._channel = (
            grpc.aio.insecure_channel(host, **given)
            if credentials is None
            else grpc.aio.secure_channel(host, credentials, **given)
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
            return self._answer(error)
        accepted = read_protobuf(signal, answer, self._quote)
        return accepted or Unavailable("gRPC OK, with an answer that is not OTLP's")

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    def _answer(self, error: grpc.aio.AioRpcError) -> Answer:
        code, details = error.code(), error.details() or ""
        words = self._quote(details)
        reason = f"gRPC {code.name}: {words}" if words else f"gRPC {code.name}"
        after = _retry_after(error)
        if after is None and code in _SIZES and _TOO_LARGE.search(details):
            return TooLarge(reason)
        return Refused(reason) if code in _REFUSED else Unavailable(reason, after)


def _content(file: str) -> bytes | None:
    return Path(file).read_bytes() if file else None


def _retry_after(error: grpc.aio.AioRpcError) -> float | None:
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        try:
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    delay = info.retry_delay
                    return max(0.0, float(delay.seconds + delay.nanos / 1e9))
        except DecodeError:
            return None
    return None
