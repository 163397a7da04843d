"""Which release of the shop runs: said in each answer's ``X-Version``, and changed by a deploy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIRST: Final = "1.4.2"
GOOD: Final = "1.4.3"
BAD: Final = "1.5.0"
"""Its checkout answers 500."""
_MEANINGS: Final = {
    FIRST: "The one that runs when the shop starts.",
    GOOD: "A good one.",
    BAD: "A bad one: placing an order answers 500.",
}


@dataclass(slots=True)
class Rollout:
    """The release that runs, shared by whatever it changes."""

    release: str = FIRST

    @property
    def is_bad(self) -> bool:
        """Whether its checkout is broken."""
        return self.release == BAD

    @property
    def meanings(self) -> Mapping[str, str]:
        """What there is to deploy, and what is to be known of it."""
        return _MEANINGS

    def routes(self) -> list[BaseRoute]:
        """``POST /demo/deploy/{release}`` replaces it at once."""
        return [Route("/demo/deploy/{release}", self._deploy, methods=["POST"])]

    async def _deploy(self, request: Request) -> Response:
        wanted, before = request.path_params["release"], self.release
        if wanted not in _MEANINGS:
            error = f"unknown release; POST /demo/deploy/ one of: {', '.join(_MEANINGS)}"
            return JSONResponse({"error": error, "releases": list(_MEANINGS)}, status_code=404)
        self.release = wanted
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/demo", status_code=303)
        return JSONResponse({"release": wanted, "before": before})


class VersionMiddleware:
    """Says in each answer which release it is of."""

    def __init__(self, app: ASGIApp, rollout: Rollout) -> None:
        self._app = app
        self._rollout = rollout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the header."""
        release = self._rollout.release

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-version"] = release
            await send(message)

        await self._app(scope, receive, sending)
