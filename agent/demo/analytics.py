"""The shop's analytics on an origin of their own: a third party that counts what reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.demo.render import Render
from agent.demo.seen import SeenLog, SeenMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request


def create_analytics() -> Starlette:
    """Build a counter of beacons.

    ``POST /g/collect`` looks like Google Analytics 4 and ``POST /api/event`` like Plausible.
    ``/`` shows the counts, ``/counts`` gives them as ``{"ga4": n, "plausible": n}``.
    """
    counts = {"ga4": 0, "plausible": 0}
    render = Render(analytics_url="")
    log = SeenLog()

    async def collect(request: Request) -> Response:
        counts["ga4"] += 1
        return Response(status_code=204, headers=_cors(request))

    async def event(request: Request) -> Response:
        counts["plausible"] += 1
        return Response("ok", status_code=202, media_type="text/plain", headers=_cors(request))

    async def show(_request: Request) -> Response:
        return render.page("analytics.html", counts=counts)

    async def give(_request: Request) -> Response:
        return JSONResponse(counts)

    return Starlette(
        routes=[
            Route("/", show),
            Route("/counts", give),
            Route("/g/collect", collect, methods=["POST"]),
            Route("/api/event", event, methods=["POST"]),
            *log.routes(),
        ],
        middleware=[Middleware(SeenMiddleware, log=log)],
    )


def _cors(request: Request) -> dict[str, str]:
    # A beacon is sent with credentials, for which a bare "*" is not enough.
    return {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
    }
