"""A small web server of a test's own that remembers every request it got."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    Answer = str | Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Origin:
    """Serves ``pages`` (HTML, or a handler, by path) on a free port of ``host``."""

    host: str = "127.0.0.1"
    pages: dict[str, Answer] = field(default_factory=dict)
    seen: list[Asked] = field(default_factory=list)
    url: str = ""
    tls: ssl.SSLContext | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, 0, ssl_context=self.tls)
        await site.start()
        port = self._runner.addresses[0][1]
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"{'https' if self.tls else 'http'}://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def asked(self, path: str, method: str | None = None) -> list[Asked]:
        """The requests for a path, in the order in which they came."""
        return [one for one in self.seen if one.path == path and method in {None, one.method}]

    async def until_asked(self, path: str, count: int = 1, within: float = 5.0) -> list[Asked]:
        """Wait until so many requests for a path have come."""
        async with asyncio.timeout(within):
            while len(found := self.asked(path)) < count:
                self._came.clear()
                await self._came.wait()
        return found

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Asked(request.method, request.path, headers, await request.read()))
        self._came.set()
        page = self.pages.get(request.path)
        if page is None:
            return web.Response(status=404, text="not here", content_type="text/html")
        if isinstance(page, str):
            return web.Response(text=page, content_type="text/html")
        return await page(request)
