"""An OTLP receiver inside the test's own event loop: HTTP/protobuf and gRPC on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import grpc
from aiohttp import web
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from tests.support import signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Page:
    """Answer as a gateway does that stands before the collector, and take nothing."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


Answer = int | tuple[int, dict[str, str]] | Literal["hang", "reset"] | Page


@dataclass(frozen=True)
class Request:
    """A request as it came in, answered well or not. ``headers`` have lower-case names."""

    protocol: Literal["http", "grpc"]
    signal: str
    headers: dict[str, str]
    body: bytes
    """Uncompressed."""


@dataclass(frozen=True)
class _Signal:
    service: str
    request: Any
    response: Any
    flatten: Callable[[Any], Iterator[Any]]


_SIGNALS = {
    "traces": _Signal(
        "opentelemetry.proto.collector.trace.v1.TraceService",
        trace_service_pb2.ExportTraceServiceRequest,
        trace_service_pb2.ExportTraceServiceResponse,
        signals.spans,
    ),
    "metrics": _Signal(
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        metrics_service_pb2.ExportMetricsServiceRequest,
        metrics_service_pb2.ExportMetricsServiceResponse,
        signals.metrics,
    ),
    "logs": _Signal(
        "opentelemetry.proto.collector.logs.v1.LogsService",
        logs_service_pb2.ExportLogsServiceRequest,
        logs_service_pb2.ExportLogsServiceResponse,
        signals.logs,
    ),
}

_GRPC_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.UNAVAILABLE,
}


@dataclass
class OtlpReceiver:
    """Collects what it is sent. ``async with`` starts and stops it.

    ``answer`` is what every request gets from now on: an HTTP status, a status with headers,
    ``"hang"``, ``"reset"`` or a gateway's ``Page``; ``answers`` says it for one signal
    (``traces``, ``metrics``, ``logs``) alone. On gRPC the matching code is sent, a
    ``Retry-After`` as ``RetryInfo``, and a reset as ``UNAVAILABLE``. Only what was accepted
    appears in ``spans``, ``metrics`` and ``logs``; ``requests`` holds everything received.

    After ``stop`` nothing listens, and ``start`` listens on the same ports again.
    """

    answer: Answer = 200
    answers: dict[str, Answer] = field(default_factory=dict)
    choose: Callable[[Request], Answer | None] = lambda _: None
    """Says of a request what it gets, before ``answers`` and ``answer`` do; None: as they say."""
    requests: list[Request] = field(default_factory=list)
    spans: list[signals.Span] = field(default_factory=list)
    metrics: list[signals.Metric] = field(default_factory=list)
    logs: list[signals.Log] = field(default_factory=list)
    _http_port: int = 0
    _grpc_port: int = 0

    @property
    def http_endpoint(self) -> str:
        """Base address for OTLP over HTTP."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def grpc_endpoint(self) -> str:
        """Base address for OTLP over gRPC."""
        return f"http://127.0.0.1:{self._grpc_port}"

    @property
    def counts(self) -> Counter[str]:
        """Requests received for each signal."""
        return Counter(request.signal for request in self.requests)

    def latest(self, name: str, **attributes: str) -> signals.Metric | None:
        """The newest point of a metric whose attributes include those given."""
        found = [
            metric
            for metric in self.metrics
            if metric.name == name and attributes.items() <= metric.attributes.items()
        ]
        return max(found, key=lambda metric: metric.time_ns, default=None)

    async def wait_for(
        self,
        condition: Callable[[OtlpReceiver], object],
        timeout: float = 60.0,  # noqa: ASYNC109 - the caller's word for it
    ) -> None:
        """Wait until ``condition`` holds, asked again after each request.

        Raises:
            AssertionError: it didn't within ``timeout`` seconds; says what had arrived.

        """
        try:
            async with asyncio.timeout(timeout):
                while not condition(self):
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(
                f"not within {timeout} s; arrived: {dict(self.counts)} requests, "
                f"spans {sorted({span.name for span in self.spans})}, "
                f"metrics {sorted({metric.name for metric in self.metrics})}, "
                f"logs {[log.body for log in self.logs]}"
            ) from None

    async def start(self) -> None:
        """Listen."""
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/v1/{signal:traces|metrics|logs}", self._http)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._http_port).start()
        self._http_port = self._runner.addresses[0][1]
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers(
            tuple(self._service(name, signal) for name, signal in _SIGNALS.items())
        )
        self._grpc_port = self._server.add_insecure_port(f"127.0.0.1:{self._grpc_port}")
        await self._server.start()

    async def stop(self) -> None:
        """Close every connection and free the ports; what hangs is let go."""
        self._closing.set()
        await self._server.stop(None)
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _held(self, signal: str) -> list[Any]:
        return {"traces": self.spans, "metrics": self.metrics, "logs": self.logs}[signal]

    def _receive(self, request: Request) -> Answer:
        self.requests.append(request)
        self._arrived.set()
        chosen = self.choose(request)
        return self.answers.get(request.signal, self.answer) if chosen is None else chosen

    def _accept(self, request: Request) -> bytes:
        signal = _SIGNALS[request.signal]
        items = list(signal.flatten(signal.request.FromString(request.body)))
        self._held(request.signal).extend(items)
        self._arrived.set()
        return bytes(signal.response().SerializeToString())

    async def _http(self, incoming: web.Request) -> web.StreamResponse:
        request = Request(
            "http",
            incoming.match_info["signal"],
            {name.lower(): value for name, value in incoming.headers.items()},
            await incoming.read(),
        )
        answer = self._receive(request)
        if answer == "hang":
            await self._closing.wait()
        if isinstance(answer, str):
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response(status=503)
        if incoming.content_type != "application/x-protobuf":
            return web.Response(status=415)
        if isinstance(answer, Page):
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        status, headers = _plain(answer)
        if status >= 300:
            return web.Response(status=status, headers=headers)
        try:
            body = self._accept(request)
        except DecodeError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(
            status=status, headers=headers, body=body, content_type="application/x-protobuf"
        )

    def _service(self, name: str, signal: _Signal) -> grpc.GenericRpcHandler:
        async def export(body: bytes, context: grpc.aio.ServicerContext) -> bytes:
            metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
            request = Request("grpc", name, metadata, body)
            answer = self._receive(request)
            if answer == "hang":
                await self._closing.wait()
            if isinstance(answer, str):
                await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset by the test")
            if isinstance(answer, Page):
                await context.abort(grpc.StatusCode.UNKNOWN, f"http status {answer.status}")
            if answer == 413:
                await context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, "received message larger than max"
                )
            status, headers = _plain(answer)
            if status >= 300:
                code = _GRPC_CODES.get(status, grpc.StatusCode.INTERNAL)
                await context.abort(code, f"{status} by the test", _retry_info(code, headers))
            return self._accept(request)

        handler = grpc.unary_unary_rpc_method_handler(export)
        return grpc.method_handlers_generic_handler(signal.service, {"Export": handler})


def _plain(answer: Answer) -> tuple[int, dict[str, str]]:
    match answer:
        case (int(status), dict(headers)):
            return status, headers
        case int(status):
            return status, {}
    raise AssertionError(f"{answer!r} is no answer that this receiver knows")


def _retry_info(code: grpc.StatusCode, headers: dict[str, str]) -> tuple[tuple[str, bytes], ...]:
    if "Retry-After" not in headers:
        return ()
    info = RetryInfo()
    info.retry_delay.FromSeconds(int(headers["Retry-After"]))
    detail = AnyMessage()
    detail.Pack(info)
    status = Status(code=code.value[0], message="later", details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)
