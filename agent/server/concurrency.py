"""How many requests are answered at a time, health left aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

_MOST: Final = 16
_TOO_MANY: Final = f"{_MOST} requests are being answered already: ask again in a moment"


class ConcurrencyLimit:
    """Answers 503 beyond the most requests at a time; those for a ``public`` path don't count.

    So however many ask for journeys, runs and evidence, or take their time to take them, there
    are connections left for those who ask for health. Those ``apart``, by how their paths begin,
    have as many places of their own: deploy tools whose requests are held keep nobody from
    looking, nor the other way.
    """

    def __init__(self, app: ASGIApp, public: Collection[str], apart: Collection[str] = ()) -> None:
        self._app = app
        self._public = frozenset(public)
        self._apart = tuple(apart)
        self._answering = {True: 0, False: 0}
        """How many are answered now, of those apart and of the others."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""
        path: str = scope["path"]
        if path in self._public:
            await self._app(scope, receive, send)
            return
        apart = path.startswith(self._apart)
        if self._answering[apart] >= _MOST:
            refusal = JSONResponse({"error": _TOO_MANY}, 503, {"Retry-After": "1"})
            await refusal(scope, receive, send)
            return
        self._answering[apart] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._answering[apart] -= 1
