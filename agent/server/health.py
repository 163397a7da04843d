"""``/healthz``: the loop turns and the schedule ticks. ``/readyz``: it can measure and report."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and what to tell where it isn't."""

    ok: bool
    detail: str = ""


def health_routes(
    alive: Callable[[], Check],
    ready: Callable[[], Awaitable[Mapping[str, Check]]],
) -> list[Route]:
    """Return the health routes: 200 where all is well, else 503."""
    asking: asyncio.Future[Mapping[str, Check]] | None = None

    async def healthz(_: Request) -> JSONResponse:
        return _answer({"schedule": alive()})

    async def readyz(_: Request) -> JSONResponse:
        # Anybody may ask, so the stations are asked once, however many do at a time.
        nonlocal asking
        if asking is None or asking.done():
            asking = asyncio.ensure_future(ready())
        return _answer(await asyncio.shield(asking))

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _answer(checks: Mapping[str, Check]) -> JSONResponse:
    ok = all(check.ok for check in checks.values())
    body = {
        "status": "ok" if ok else "failing",
        "checks": {
            name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()
        },
    }
    return JSONResponse(body, 200 if ok else 503, headers={"Cache-Control": "no-store"})
