"""Whatever changes what the agent does: each route takes the token, see ``AccessControl``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.server.body import Nothing, body_of
from agent.server.note_body import NoteBody
from agent.server.pause_body import PauseBody, ResumeBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.core.errors import Problem


class Refused(Exception):
    """What was asked for was not done.

    By the status: 404 there is none such, 409 not as things are, 422 what was to be taken up is
    wrong, 503 not now.
    """

    def __init__(self, status: int, error: str, problems: Sequence[Problem] = ()) -> None:
        self.status = status
        self.problems = tuple(problems)
        super().__init__(error)


class Control(Protocol):
    """Carries out what is asked for.

    Each verb returns what it did, as JSON-like data, and raises ``Refused`` where it did nothing.
    """

    async def reload(self) -> dict[str, Any]:
        """Read configuration and journeys again; return what changed."""
        ...

    async def pause(self, asked: PauseBody) -> dict[str, Any]:
        """Pause journeys; return the pause, and what runs."""
        ...

    async def resume(self, asked: ResumeBody) -> dict[str, Any]:
        """Have paused journeys walk again; return which do."""
        ...

    async def run_now(self, journey: str) -> dict[str, Any]:
        """Have a journey walked beside its schedule; return the run's id and address."""
        ...

    async def note(self, incident: int, asked: NoteBody) -> dict[str, Any]:
        """Add a person's note to an incident; return the note."""
        ...


def control_routes(control: Control) -> list[Route]:
    """Return the routes. Each takes POST alone: no other method may change anything."""

    async def reload(request: Request) -> Response:
        await body_of(request, Nothing)
        return JSONResponse(await control.reload())

    async def pause(request: Request) -> Response:
        return JSONResponse(await control.pause(await body_of(request, PauseBody)))

    async def resume(request: Request) -> Response:
        return JSONResponse(await control.resume(await body_of(request, ResumeBody)))

    async def run_now(request: Request) -> Response:
        await body_of(request, Nothing)
        told = await control.run_now(request.path_params["journey"])
        return JSONResponse(told, 202, {"Location": told["address"]})

    async def note(request: Request) -> Response:
        number = request.path_params["number"]
        return JSONResponse(await control.note(number, await body_of(request, NoteBody)), 201)

    routes = {
        "reload": reload,
        "pause": pause,
        "resume": resume,
        "journeys/{journey:path}/runs": run_now,
        "incidents/{number:int}/notes": note,
    }
    return [Route(f"/api/v1/{name}", verb, methods=["POST"]) for name, verb in routes.items()]


async def told(_request: Request, error: Exception) -> Response:
    """Answer what was refused, with every fault and its place where there are several."""
    if not isinstance(error, Refused):
        raise error
    body: dict[str, Any] = {"error": str(error)}
    if error.problems:
        body["problems"] = [
            {"where": problem.where, "message": problem.message} for problem in error.problems
        ]
    return JSONResponse(body, error.status)
