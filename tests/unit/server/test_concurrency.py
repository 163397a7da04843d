"""Beyond the most requests at a time, all but health is asked to come again."""

from __future__ import annotations

import asyncio

from agent.server import concurrency
from agent.server.concurrency import ConcurrencyLimit


async def answer(limit, path):
    """Ask the middleware for a path; return the status, or None where nobody answered yet."""
    told = []

    async def send(message):
        told.append(message)

    await limit({"type": "http", "path": path, "headers": []}, None, send)
    return told[0]["status"]


async def test_who_is_one_too_many_is_told_to_come_again(monkeypatch):
    """503 at once for whatever isn't health; a place is free again once an answer has ended, or
    has failed."""
    monkeypatch.setattr(concurrency, "_MOST", 2)
    go = asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/slow":
            await go.wait()
            raise ConnectionError
        await send({"type": "http.response.start", "status": 200, "headers": []})

    limit = ConcurrencyLimit(app, ["/healthz"])
    slow = [asyncio.create_task(answer(limit, "/slow")) for _ in range(2)]
    await asyncio.sleep(0)
    assert await answer(limit, "/api/v1/runs") == 503
    assert await answer(limit, "/healthz") == 200
    go.set()
    await asyncio.gather(*slow, return_exceptions=True)
    assert await answer(limit, "/api/v1/runs") == 200
