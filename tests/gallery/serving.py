"""The pages' own routes over a real socket, with made-up documents in place of a history."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from agent.server.answer_headers import headers_of
from agent.server.api import refused
from agent.server.pages import page_routes, told_on_a_page
from agent.server.serving import listen, port_of, serving
from agent.server.views.assets import Assets
from agent.server.views.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from tests.gallery.scenes import Scene


class Stage:
    """Answers as a history would: with the documents of the scene that is on."""

    scene: Scene
    pictures: dict[str, bytes]

    async def journeys(self) -> Any:
        """Return the overview."""
        return self.scene.overview

    async def journey(self, name: str) -> Any:
        """Return a journey."""
        return self.scene.journeys.get(name)

    async def run(self, run_id: str) -> Any:
        """Return a run."""
        return self.scene.runs.get(run_id)

    async def incidents(self, limit: int, before: int | None = None) -> Any:
        """Return all incidents."""
        told = {"at": self.scene.overview["at"], "location": self.scene.overview["location"]}
        return told | {"incidents": self.scene.incidents, "more": False}

    async def incident(self, number: int) -> Any:
        """Return an incident."""
        return next((one for one in self.scene.incidents if one["id"] == number), None)


@asynccontextmanager
async def staged() -> AsyncIterator[tuple[Stage, str]]:
    """Serve the pages; gives what is played, and the address."""
    stage = Stage()
    stage.pictures = {}
    assets = Assets()
    rendering = Rendering(assets)

    async def picture(request: Request) -> Response:
        found = stage.pictures.get(request.path_params["path"].split("/")[1])
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type="image/png")

    app = Starlette(
        routes=[
            *page_routes(stage, rendering),
            assets.route(),
            Route("/artifacts/{path:path}", picture),
        ],
        exception_handlers={HTTPException: told_on_a_page(refused, rendering)},
    )

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(headers_of(scope["path"]))
            await send(message)

        await app(scope, receive, send_guarded)

    socket = listen("127.0.0.1", 0)
    async with serving(guarded, socket):
        yield stage, f"http://127.0.0.1:{port_of(socket)}"
