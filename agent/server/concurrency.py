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
    are connections left for those who ask for health.
    """

    def __init__(self, app: ASGIApp, public: Collection[str]) -> None:
        self._app = app
        self._public = frozenset(public)
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""
        if scope["path"] in self._public:
            await self._app(scope, receive, send)
        elif self._answering >= _MOST:
            refusal = JSONResponse({"error": _TOO_MANY}, 503, {"Retry-After": "1"})
            await refusal(scope, receive, send)
        else:
            self._answering += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._answering -= 1
