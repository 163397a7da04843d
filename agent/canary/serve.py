"""Serving the canary on loopback, on a port of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from agent.canary.page import PAGE
from agent.server.serving import listen, port_of, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

_TIMEOUT = 2.0


async def _page(_: Request) -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"Cache-Control": "no-store"})


async def canary_trouble(url: str) -> str:
    """Ask the canary for its page; return why that failed, or nothing."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return f"the agent's own page does not answer: {error!r}"
    return ""


@asynccontextmanager
async def canary() -> AsyncIterator[str]:
    """Serve the canary while the block runs; gives its address."""
    socket = listen("127.0.0.1", 0)
    async with serving(Starlette(routes=[Route("/", _page)]), socket):
        yield f"http://127.0.0.1:{port_of(socket)}/"
