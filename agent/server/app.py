"""The agent's server: health for everybody, the rest for whoever may ask."""

from __future__ import annotations

from dataclasses import dataclass
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
from agent.server.control import Refused, control_routes, told
from agent.server.event_streams import EVENTS
from agent.server.gates import PATH, gate_routes
from agent.server.page_forms import form_routes
from agent.server.pages import gate_page, page_routes, told_on_a_page
from agent.server.sign_in import SignIn
from agent.server.views.assets import Assets
from agent.server.views.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.core.clock import Clock
    from agent.server.access import Access
    from agent.server.control import Control
    from agent.server.documents.source import Source
    from agent.server.event_streams import EventStreams
    from agent.server.gates import Gates
    from agent.server.one_time_links import Links
    from agent.server.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Entrance:
    """How people come in with a browser."""

    sessions: Sessions
    links: Links
    clock: Clock
    """By which they have to wait who try tokens."""


@dataclass(frozen=True, slots=True)
class MoreRoutes:
    """What is answered beside health, runs and what goes with them."""

    gates: Gates
    api: Sequence[Route] = ()
    """Open to who shows the agent's token, or has a session."""
    adapters: Sequence[Route] = ()
    """Each looks at a secret of its own."""


def create_app(
    health: Sequence[Route],
    source: Source,
    control: Control,
    artifacts: Path,
    access: Access,
    entrance: Entrance,
    streams: EventStreams,
    more: MoreRoutes,
) -> Starlette:
    """Return the application, open as ``access`` says; ``health`` to everybody."""
    assets = Assets()
    rendering = Rendering(assets)
    sessions = entrance.sessions
    sign_in = SignIn(access, sessions, entrance.links, rendering, entrance.clock)
    public = [route.path for route in health]
    own_doors = [route.path for route in more.adapters]
    evidence = Route("/artifacts/{path:path}", serve(artifacts))
    on_page = told_on_a_page(refused, rendering)
    app = Starlette(
        routes=[
            *health,
            *api_routes(source),
            *control_routes(control),
            *more.adapters,
            *gate_routes(more.gates),
            *more.api,
            streams.route(),
            *page_routes(source, rendering),
            gate_page(source, more.gates, rendering),
            *form_routes(control),
            *sign_in.routes(),
            assets.route(),
            evidence,
        ],
        middleware=[
            Middleware(
                AccessControl,
                access=access,
                sessions=sessions,
                rendering=rendering,
                public=public,
                own_doors=own_doors,
            ),
            Middleware(ConcurrencyLimit, public=[*public, EVENTS], apart=[*own_doors, f"{PATH}/"]),
        ],
        exception_handlers={
            HTTPException: on_page,
            StateError: on_page,
            Refused: told_on_a_page(told, rendering),
            Exception: on_page,
        },
    )
    # A redirect would go to whatever name the client gave this address.
    app.router.redirect_slashes = False
    return app
