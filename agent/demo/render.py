"""Templates and assets, read once at the start: no page waits for a disk."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent.demo import products

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_HERE = Path(__file__).parent
_CACHE = {"cache-control": "public, max-age=3600"}


class Render:
    """Turns template names into responses. ``values`` are known to every template."""

    def __init__(self, **values: object) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(values, categories=products.CATEGORIES)
        self._templates.filters["money"] = products.money
        for name in self._templates.list_templates():
            self._templates.get_template(name)

    def page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Render a template as an answer that no cache keeps."""
        return HTMLResponse(
            self._templates.get_template(template).render(**values),
            status_code=status,
            headers={"cache-control": "no-store"},
        )


def static() -> list[BaseRoute]:
    """Route ``/static/…``: styles, scripts and pictures, cacheable for an hour."""
    folder = _HERE / "static"
    files = {
        path.relative_to(folder).as_posix(): (
            path.read_bytes(),
            mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        )
        for path in folder.rglob("*")
        if path.is_file()
    }

    async def serve(request: Request) -> Response:
        found = files.get(request.path_params["path"])
        if found is None:
            return Response("no such file\n", status_code=404, media_type="text/plain")
        content, media_type = found
        return Response(content, media_type=media_type, headers=_CACHE)

    return [Route("/static/{path:path}", serve)]
