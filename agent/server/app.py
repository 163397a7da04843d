"""The agent's server: health for everybody, the API and artifacts for whoever may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from agent.core.errors import StateError
from agent.server.access import AccessControl
from agent.server.api import api_routes, refused
from agent.server.artifacts import serve
from agent.server.concurrency import ConcurrencyLimit
from agent.server.health import health_routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from agent.server.api import Source
    from agent.server.health import Check


def create_app(
    alive: Callable[[], Check],
    ready: Callable[[], Awaitable[Mapping[str, Check]]],
    source: Source,
    artifacts: Path,
    bound: tuple[str, str],
) -> Starlette:
    """Return the application; ``bound`` is the host it listens on, and its token or nothing."""
    health = health_routes(alive, ready)
    host, token = bound
    public = [route.path for route in health]
    evidence = Route("/artifacts/{path:path}", serve(artifacts))
    app = Starlette(
        routes=[*health, *api_routes(source), evidence],
        middleware=[
            Middleware(AccessControl, host=host, token=token, public=public),
            Middleware(ConcurrencyLimit, public=public),
        ],
        exception_handlers={HTTPException: refused, StateError: refused, Exception: refused},
    )
    # A redirect would go to whatever name the client gave this address.
    app.router.redirect_slashes = False
    return app
