"""What people do on the pages: forms for what the API takes as JSON, each leading back to a page.

They take a session, and a browser that says that a page of the agent's own sent them, see
``AccessControl``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from agent.server.body import held_to
from agent.server.form import form_of
from agent.server.note_body import NoteBody
from agent.server.own_path import own_path
from agent.server.pause_body import PauseBody, ResumeBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.control import Control


def form_routes(control: Control) -> list[Route]:
    """Return the routes. Each takes POST alone, as those of ``control_routes`` do."""

    async def pause(request: Request) -> Response:
        fields = ("journey", "reason", "for", "mode", "who", "now", "next")
        given = await form_of(request, fields)
        asked = _which(given) | _said(given, "reason", "for", "mode", "who")
        await control.pause(held_to(PauseBody, asked | {"now": bool(given["now"])}))
        return _back(given["next"])

    async def resume(request: Request) -> Response:
        given = await form_of(request, ("journey", "who", "next"))
        await control.resume(held_to(ResumeBody, _which(given) | _said(given, "who")))
        return _back(given["next"])

    async def run_now(request: Request) -> Response:
        await form_of(request, ())
        told = await control.run_now(request.path_params["journey"])
        return _back(f"/runs/{quote(told['run_id'], safe='')}")

    async def note(request: Request) -> Response:
        number = request.path_params["number"]
        given = await form_of(request, ("text", "who"))
        asked = _said(given, "text", "who")
        if "text" in asked:
            # Browsers end lines as DOS did.
            asked["text"] = asked["text"].replace("\r\n", "\n")
        await control.note(number, held_to(NoteBody, asked))
        return _back(f"/incidents/{number}")

    routes = {
        "pause": pause,
        "resume": resume,
        "journeys/{journey:path}/runs": run_now,
        "incidents/{number:int}/notes": note,
    }
    return [Route(f"/{name}", verb, methods=["POST"]) for name, verb in routes.items()]


def _which(given: Mapping[str, str]) -> dict[str, Any]:
    return {"journeys": [given["journey"]]} if given["journey"] else {"all": True}


def _said(given: Mapping[str, str], *names: str) -> dict[str, Any]:
    """Return the fields that somebody filled in."""
    return {name: given[name] for name in names if given[name].strip()}


def _back(place: str) -> Response:
    return RedirectResponse(own_path(place), 303)
