"""``/api/v1/deploys``: releases that went out, told by whoever deploys them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.server.api import parameters, whole
from agent.server.body import body_of
from agent.server.deploy_body import LONGEST_SITE, DeployBody

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.documents.deploys import DeployDocument, DeploysDocument

PATH: Final = "/api/v1/deploys"
_LIMIT: Final = 50
_MOST: Final = 500


class Deploys(Protocol):
    """Knows which releases went out, and when."""

    async def note(
        self, site: str, release: str, at: float | None = None, source: str = "api", url: str = ""
    ) -> tuple[DeployDocument, bool]:
        """Note a deploy at a Unix time, by default now; return it, and whether it is new.

        The same release of a site, told of again, is the same deploy.

        Raises:
            Refused: 404 there is no such site, 422 it is still to come or too long ago, 503
                nothing can be written down now.

        """
        ...

    async def newest(self, limit: int, site: str = "") -> DeploysDocument:
        """Return the newest, of all sites or of one.

        Raises:
            StateError: they can't be read now.

        """
        ...


def deploy_routes(deploys: Deploys) -> list[Route]:
    """Return the routes."""

    async def note(request: Request) -> Response:
        asked = await body_of(request, DeployBody)
        at = None if asked.at is None else datetime.fromisoformat(asked.at).timestamp()
        told, new = await deploys.note(asked.site, asked.release, at, "api", asked.url or "")
        return JSONResponse(told, 201 if new else 200)

    async def newest(request: Request) -> Response:
        values = parameters(request.query_params, ("site", "limit"))
        limit = whole(values, "limit", _LIMIT, _MOST)
        return JSONResponse(await deploys.newest(limit, values.get("site", "")[:LONGEST_SITE]))

    return [
        Route(PATH, note, methods=["POST"]),
        Route(PATH, newest, methods=["GET"]),
    ]
