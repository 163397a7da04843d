"""``/healthz``: the loop turns and the schedule ticks. ``/readyz``: it can measure and report."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.server.access import is_trusted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

_WITHIN: Final = 4.0
"""Seconds for an answer: who asks for health gives up after 5, and takes that for a dead agent."""
_HOLDS: Final = 0.5
"""Seconds for which what was looked up counts, so that asking without end costs little."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and what to tell where it isn't.

    ``detail`` is for who shows the agent's token, ``public`` for everybody; empty: they may hear
    the same. What is ``ok`` may be ``degraded``: the agent goes on, and somebody should look.
    """

    ok: bool
    detail: str = ""
    public: str = ""
    degraded: bool = False


def health_routes(
    alive: Callable[[], Check],
    ready: Callable[[], Awaitable[Mapping[str, Check]]],
) -> list[Route]:
    """Return the health routes: 200 where all is well, else 503."""
    readiness = _Shared(ready)

    async def healthz(request: Request) -> JSONResponse:
        return _answer(request, {"schedule": alive()})

    async def readyz(request: Request) -> JSONResponse:
        return _answer(request, await readiness.look())

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


class _Shared:
    """One look at a time, shared by all who ask: anybody may, and as often as they like."""

    def __init__(self, ready: Callable[[], Awaitable[Mapping[str, Check]]]) -> None:
        self._ready = ready
        self._look: asyncio.Future[Mapping[str, Check]] | None = None
        self._done_at = 0.0

    async def look(self) -> Mapping[str, Check]:
        """Return what is so, as of now or just now; a look that takes too long is a failure."""
        loop = asyncio.get_running_loop()
        look = self._look
        if look is None or (look.done() and not loop.time() - self._done_at < _HOLDS):
            look = self._look = asyncio.ensure_future(self._ready())
            look.add_done_callback(self._done)
        if look.done():
            return look.result()
        try:
            async with asyncio.timeout(_WITHIN):
                return await asyncio.shield(look)
        except TimeoutError:
            return {"agent": Check(False, f"could not be asked within {_WITHIN:.0f} s")}

    def _done(self, look: asyncio.Future[Mapping[str, Check]]) -> None:
        # A failed one is for whoever waits for it, and never again.
        failed = look.cancelled() or look.exception() is not None
        self._done_at = float("-inf") if failed else look.get_loop().time()


def _answer(request: Request, checks: Mapping[str, Check]) -> JSONResponse:
    ok = all(check.ok for check in checks.values())
    degraded = any(check.degraded for check in checks.values())
    trusted = is_trusted(request.scope)
    body = {
        "status": ("degraded" if degraded else "ok") if ok else "failing",
        "checks": {
            name: {
                "ok": check.ok,
                "detail": check.detail if trusted else check.public or check.detail,
                **({"degraded": True} if check.degraded else {}),
            }
            for name, check in checks.items()
        },
    }
    return JSONResponse(body, 200 if ok else 503, headers={"Cache-Control": "no-store"})
