"""Somebody else's server, which keeps what it is sent and answers as it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """``async with`` serves it on loopback."""

    answers: deque[tuple[int, bytes, dict[str, str]]] = field(default_factory=deque)
    """Status, body and headers, one a request; 204 once there are none."""
    holds: bool = False
    """Whether it takes what comes and answers nobody."""
    received: list[Received] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._came = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app)
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def requests(self, count: int, path: str = "") -> list[Received]:
        """Wait until so many have come, to this path where one is given; return them."""
        async with asyncio.timeout(30):
            while len(found := [one for one in self.received if path in {"", one.path}]) < count:
                self._came.clear()
                await self._came.wait()
        return found

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append(Received(request.path, dict(request.headers), body))
        self._came.set()
        if self.holds:
            await asyncio.Event().wait()
        status, answer, headers = self.answers.popleft() if self.answers else (204, b"", {})
        return web.Response(status=status, body=answer, headers=headers)
