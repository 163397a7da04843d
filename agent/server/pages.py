"""What a person looks at: each page is the very document that its address in the API answers."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.routing import Route

from agent.server.access import is_trusted
from agent.server.answer_headers import is_data, wants_page
from agent.server.api import unknown_run
from agent.server.gates import unknown_gate
from agent.server.views import showing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.documents.source import Source
    from agent.server.gates import Gates
    from agent.server.views.rendering import Rendering

    Handler = Callable[[Request, Exception], Awaitable[Response]]

_LONGEST: Final = 200
"""Characters of a name that somebody asks for."""
_INCIDENTS: Final = 20
"""Incidents of a page."""
_MOST_INCIDENTS: Final = 10**9
"""The highest number that is looked up."""
_TITLES: Final = {
    400: "That can't be asked for",
    404: "Not found",
    405: "That can't be done here",
    409: "Not as things are",
    422: "That makes no sense",
    503: "The agent can't answer now",
}
"""By status."""
_FAILED: Final = "The agent failed on this"


def page_routes(source: Source, rendering: Rendering) -> list[Route]:
    """Return the pages' routes."""
    shown = partial(_shown, rendering, source)

    async def overview(request: Request) -> Response:
        return shown(request, "overview.html", showing.overview(await source.journeys()))

    async def journey(request: Request) -> Response:
        name = request.path_params["journey"][:_LONGEST]
        found = await source.journey(name)
        if found is None:
            raise HTTPException(404, f"no journey is called {name!a}")
        return shown(request, "journey.html", showing.journey(found))

    async def run(request: Request) -> Response:
        run_id = request.path_params["run_id"][:_LONGEST]
        found = await source.run(run_id)
        if found is None:
            raise HTTPException(404, unknown_run(run_id, source.elsewhere()))
        return shown(request, "run.html", showing.run(found))

    async def incidents(request: Request) -> Response:
        before = request.query_params.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 10):
            raise HTTPException(400, f"before must be an incident's number, not {before[:100]!a}")
        found = await source.incidents(_INCIDENTS, int(before) if before else None)
        return shown(request, "incidents.html", showing.incidents(found))

    async def incident(request: Request) -> Response:
        number = request.path_params["number"]
        found = await source.incident(number) if number <= _MOST_INCIDENTS else None
        if found is None:
            raise HTTPException(404, f"no incident has the number {number}")
        return shown(request, "incidents.html", showing.incident(found))

    return [
        Route("/", overview),
        Route("/journeys/{journey:path}", journey),
        Route("/runs/{run_id:path}", run),
        Route("/incidents", incidents),
        Route("/incidents/{number:int}", incident),
    ]


def gate_page(source: Source, gates: Gates, rendering: Rendering) -> Route:
    """Return the route of the page of a verdict on a release."""

    async def gate(request: Request) -> Response:
        gate_id = request.path_params["gate_id"][:_LONGEST]
        found = await gates.wait(gate_id)
        if found is None:
            raise HTTPException(404, unknown_gate(gate_id))
        return _shown(rendering, source, request, "gate.html", showing.gate(found))

    return Route("/gates/{gate_id:path}", gate)


def _shown(
    rendering: Rendering,
    source: Source,
    request: Request,
    template: str,
    values: Mapping[str, object],
) -> Response:
    """Show a page with what whoever asks for it may do there."""
    may = {"signed_in": is_trusted(request.scope), "place": request.url.path}
    return rendering.page(template, {**values, **may, "environment": source.environment})


def told_on_a_page(told: Handler, rendering: Rendering) -> Handler:
    """Return what tells a person in a browser on a page what ``told`` tells programs in JSON."""

    async def answer(request: Request, error: Exception) -> Response:
        plain = await told(request, error)
        if is_data(request.url.path) or not wants_page(request.scope):
            return plain
        values = {
            "title": _TITLES.get(plain.status_code, _FAILED),
            "text": json.loads(bytes(plain.body))["error"],
            "leads_to": "",
        }
        kept = {name: plain.headers[name] for name in ("allow",) if name in plain.headers}
        return rendering.page("message.html", values, plain.status_code, kept)

    return answer
