"""Serving the public page: a few files, to everybody, and the same ones for some seconds.

It has a listener of its own, so that none of the agent's other routes is at its address.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.core.errors import StateError
from agent.server.public.public_document import public_document
from agent.server.public.public_files import INDEX, PublicFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from agent.core.clock import Clock
    from agent.server.public.public_document import Asked
    from agent.server.public.public_files import PublicFile

_HOLDS: Final = 10.0
"""Seconds for which one answer is given to all: however many look, the agent looks up once."""
_HEADERS: Final = {
    "Cache-Control": "public, max-age=10",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_public_app(source: Asked, clock: Clock) -> Starlette:
    """Return the application; it only ever reads."""
    page = _Page(source, clock)
    app = Starlette(
        routes=[Route("/", page.index), Route("/{name}", page.file)],
        middleware=[Middleware(_Headers)],
        # What went wrong, and where, is told to the agent's own log alone.
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


class _Page:
    def __init__(self, source: Asked, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._files = PublicFiles()
        self._made: Mapping[str, PublicFile] = {}
        self._made_at = -_HOLDS
        self._making = asyncio.Lock()

    async def index(self, _request: Request) -> Response:
        return await self._answer(INDEX)

    async def file(self, request: Request) -> Response:
        return await self._answer(request.path_params["name"])

    async def _answer(self, name: str) -> Response:
        try:
            found = (await self._rendered()).get(name)
        except StateError:
            return _plain(503, "This can't be told right now.", {"Retry-After": "10"})
        if found is None:
            raise HTTPException(404)
        return Response(found.content, media_type=found.media_type)

    async def _rendered(self) -> Mapping[str, PublicFile]:
        async with self._making:
            if self._clock.monotonic() - self._made_at >= _HOLDS:
                document = await public_document(self._source)
                self._made = await asyncio.to_thread(self._files.rendered, document)
                self._made_at = self._clock.monotonic()
        return self._made


class _Headers:
    """Puts on every answer what a page for everybody has to carry."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    if message["status"] == 200 or name != "Cache-Control":
                        headers[name] = value
            await send(message)

        await self._app(scope, receive, send_guarded)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "There is nothing here.", 405: "This can only be read."}
    return _plain(status, words.get(status, "No."), getattr(error, "headers", None) or {})


async def _failed(_request: Request, _error: Exception) -> Response:
    return _plain(500, "This can't be told right now.", {})


def _plain(status: int, text: str, headers: Mapping[str, str]) -> Response:
    return PlainTextResponse(f"{text}\n", status, {"Cache-Control": "no-store", **headers})
