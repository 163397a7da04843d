"""A page of known weight, for measuring what watching it costs.

``/bench`` makes 45 requests: itself, 40 small assets that may be cached, and 4 calls that may
not. ``/bench/second``, linked from it, uses the same assets: 5 requests where the cache works.
The element ``bench-done`` reads ``done`` once the last call has answered. ``/bench/late`` is the
same with 20 ms before each answer, as a network has.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from agent.demo.render import Render

STYLES, SCRIPTS, PICTURES, CALLS = 8, 8, 24, 4

_LATE = "/bench/late"
_DELAY = 0.02
"""Seconds before an answer of the late page."""
_CACHE = {"cache-control": "public, max-age=3600"}
_FILLER = "/* " + "footfall " * 100 + "*/\n"
_TILE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
    '<rect width="48" height="48" rx="8" fill="hsl({n}5 40% 70%)"/></svg>\n'
)
_KINDS = {
    "css": (STYLES, "text/css", ".tile-{n} {{ color: #334; }}\n" + _FILLER),
    "js": (
        SCRIPTS,
        "text/javascript",
        "window.tiles = (window.tiles || 0) + 1; // {n}\n" + _FILLER,
    ),
    "svg": (PICTURES, "image/svg+xml", _TILE),
}


class Bench:
    """The page, its assets and its calls."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._assets = {
            f"{number}.{suffix}": (text.format(n=number), media_type)
            for suffix, (count, media_type, text) in _KINDS.items()
            for number in range(count)
        }

    def routes(self) -> list[BaseRoute]:
        """Routes of the benchmark."""
        return [
            Route(f"{base}{path}", answer)
            for base in ("/bench", _LATE)
            for path, answer in (
                ("", self._page),
                ("/second", self._page),
                ("/asset/{name}", self._asset),
                ("/call/{number:int}", self._call),
            )
        ]

    async def _page(self, request: Request) -> Response:
        await _delay(request)
        base = _LATE if request.url.path.startswith(_LATE) else "/bench"
        return self._render.page(
            "bench.html",
            base=base,
            styles=STYLES,
            scripts=SCRIPTS,
            pictures=PICTURES,
            calls=CALLS,
        )

    async def _asset(self, request: Request) -> Response:
        await _delay(request)
        found = self._assets.get(request.path_params["name"])
        if found is None:
            return Response("no such asset\n", status_code=404, media_type="text/plain")
        text, media_type = found
        return Response(text, media_type=media_type, headers=_CACHE)

    async def _call(self, request: Request) -> Response:
        await _delay(request)
        number = request.path_params["number"]
        return JSONResponse({"call": number}, headers={"cache-control": "no-store"})


async def _delay(request: Request) -> None:
    if request.url.path.startswith(_LATE):
        await asyncio.sleep(_DELAY)
