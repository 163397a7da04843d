"""A collector that answers each request as told, over HTTP and gRPC, for the sender's tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from agent.telemetry.delivery.signals import Signal

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.UNKNOWN,
    503: grpc.StatusCode.UNAVAILABLE,
}
_LARGER = "grpc: received message larger than max (%d vs. %d)"
_TEXT = {"content-type": "text/plain"}


class Collector:
    """Answers OTLP over HTTP and gRPC as told, and keeps what it accepted in order."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}
        self.taken: dict[str, list[Any]] = {signal: [] for signal in REQUESTS}
        self.calls: dict[str, int] = dict.fromkeys(REQUESTS, 0)
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self.grpc_url = ""
        self.hang = False
        self.always: tuple[int, dict[str, str], bytes] | None = None
        """What is answered from now on, where nothing else is said."""
        self.refused: set[str] = set()
        """Ids of runs whose spans get any request refused for good."""
        self.deadly: set[str] = set()
        """Ids of runs whose spans bring the collector down."""
        self.limits: dict[str, int] = {}
        """Bytes from which requests of a signal are too large."""
        self.cut = 0
        """How many requests more are read, kept, and cut off instead of answered."""
        self.permits: asyncio.Semaphore | None = None
        """One for each request of spans that may be answered; None: all may."""
        self._changed = asyncio.Condition()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(condition)

    async def http(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        body = await request.read()
        # aiohttp's server has inflated it already.
        status, headers, answer = await self._take(request.match_info["signal"], body)
        if self.cut and request.transport is not None:
            self.cut -= 1
            request.transport.abort()
        return web.Response(status=status, headers=headers, body=answer)

    async def rpc(self, signal: str, payload: bytes, context: Any) -> bytes:
        self.headers.append(dict(context.invocation_metadata()))
        status, _, answer = await self._take(signal, payload)
        if status != 200:
            if answer and status == 429:
                context.set_trailing_metadata((("grpc-status-details-bin", answer),))
                answer = b""
            await context.abort(_CODES[status], answer.decode())
        return answer

    async def _take(self, signal: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        async with self._changed:
            self.calls[signal] += 1
            self._changed.notify_all()
        if self.hang:
            await asyncio.Event().wait()
        if signal == "traces" and self.permits is not None:
            await self.permits.acquire()
        answers = self.answers.get(signal)
        answer = answers.pop(0) if answers else self.always or (200, {}, b"")
        if len(body) >= self.limits.get(signal, 1 << 30):
            return 413, _TEXT, (_LARGER % (len(body), self.limits[signal])).encode()
        request = REQUESTS[signal].FromString(body)
        runs = set(run_ids([request])) if signal == "traces" else set()
        if self.refused & runs:
            answer = (400, _TEXT, f"no {min(self.refused & runs)}, thank you".encode())
        if self.deadly & runs:
            answer = (500, _TEXT, b"ouch")
        async with self._changed:
            if answer[0] == 200:
                self.taken[signal].append(request)
            self._changed.notify_all()
        return answer


def run_ids(requests: Iterable[Any]) -> list[str]:
    """Return the ids of the runs whose root spans are in these requests, in order."""
    return [
        pair.value.string_value
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        for pair in span.attributes
        if pair.key == "footfall.run.id"
    ]


async def drained(waiting: Callable[[Signal], Awaitable[int]], signal: Signal) -> None:
    """Wait until nothing of a signal waits any more."""
    async with asyncio.timeout(30):
        while await waiting(signal):
            pass  # each look takes its turn behind the sender on the database's thread
