"""``/static/…``: style sheets, pictures and script of the pages, read once at the start."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from agent.server.answer_headers import STATIC

if TYPE_CHECKING:
    from starlette.requests import Request

_FOLDER: Final = Path(__file__).parent / "static"
_DIGITS: Final = 12
"""Of the digest that stands in an address, so that a new version is fetched anew."""
_KEPT: Final = {"Cache-Control": "max-age=31536000, immutable"}
"""A new version has another address."""


class Assets:
    """The files, each under an address that changes with its content."""

    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir())}

    def address(self, name: str) -> str:
        """Return where a file is served."""
        digest = hashlib.sha256(self._files[name]).hexdigest()
        return f"{STATIC}{name}?v={digest[:_DIGITS]}"

    def route(self) -> Route:
        """Return the route that serves them."""

        async def serve(request: Request) -> Response:
            name = request.path_params["name"]
            content = self._files.get(name)
            if content is None:
                raise HTTPException(404, "no such file")
            return Response(content, headers=_KEPT, media_type=mimetypes.guess_type(name)[0])

        return Route(STATIC + "{name}", serve)
