"""The last requests an origin received, for tests that ask how they were marked."""

from __future__ import annotations

import ipaddress
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

HEADERS = ("user-agent", "traceparent", "baggage", "x-synthetic-journey", "cookie")
"""The headers that are remembered, where a request has them."""

_KEPT = 500
_OWN = "/demo"


class SeenLog:
    """Remembers requests, except those to ``/demo``, and serves them at ``/demo/seen``."""

    def __init__(self) -> None:
        self._total = 0
        self._requests: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def routes(self) -> list[BaseRoute]:
        """Route of the log, for loopback clients only."""
        return [Route(f"{_OWN}/seen", self._show)]

    def note(self, scope: Scope) -> None:
        """Remember one HTTP request."""
        path = scope["path"]
        if path == _OWN or path.startswith(f"{_OWN}/"):
            return
        headers = Headers(scope=scope)
        self._total += 1
        self._requests.append(
            {
                "number": self._total,
                "method": scope["method"],
                "path": path,
                "query": scope["query_string"].decode("latin-1"),
                "headers": {name: headers[name] for name in HEADERS if name in headers},
            }
        )

    async def _show(self, request: Request) -> Response:
        if request.client is None or not _is_loopback(request.client.host):
            return JSONResponse({"error": "answered on loopback only"}, status_code=403)
        return JSONResponse({"total": self._total, "requests": list(self._requests)})


class SeenMiddleware:
    """ASGI middleware that notes each HTTP request in a log."""

    def __init__(self, app: ASGIApp, log: SeenLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note and pass on."""
        if scope["type"] == "http":
            self._log.note(scope)
        await self._app(scope, receive, send)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
