"""``/api/v1``: the journeys as they stand, and their last runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from agent.core.errors import StateError
from agent.core.results import Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.documents.source import Source

T = TypeVar("T", int, None)

_log = structlog.get_logger("footfall.server")

_LIMIT = 50
_MOST = 500
_RESULTS = tuple(result.value for result in Result)
_DAYS, _MOST_DAYS = 30, 90
"""Days of which the overview has bars."""
_MOST_INCIDENTS = 10**9
_NAMED = 50
"""Journeys that an error lists."""
_SHOWN = 80
"""Characters of an id that no run has which are said again."""
_LONGEST = 200
"""Characters of a name that somebody asks for."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which runs somebody asks for; empty: any."""

    journey: str = ""
    result: str = ""
    limit: int = _LIMIT


def api_routes(source: Source) -> list[Route]:
    """Return the API's routes."""

    async def journeys(request: Request) -> Response:
        values = parameters(request.query_params, ("days",))
        return JSONResponse(await source.journeys(whole(values, "days", _DAYS, _MOST_DAYS)))

    async def journey(request: Request) -> Response:
        parameters(request.query_params, ())
        name = request.path_params["journey"]
        found = await source.journey(name)
        if found is None:
            raise HTTPException(404, no_journey(name, source.loaded()))
        return JSONResponse(found)

    async def runs(request: Request) -> Response:
        wanted = _wanted(request.query_params)
        if wanted.journey and not await source.knows(wanted.journey):
            raise HTTPException(404, no_journey(wanted.journey, source.loaded()))
        found, links = await source.runs(wanted.journey, wanted.result, wanted.limit)
        return StreamingResponse(_pieces(found, links), media_type="application/json")

    async def run(request: Request) -> Response:
        parameters(request.query_params, ())
        run_id = request.path_params["run_id"][:_LONGEST]
        found = await source.run(run_id)
        if found is None:
            raise HTTPException(404, unknown_run(run_id, source.elsewhere()))
        return JSONResponse(found)

    return [
        Route("/api/v1/journeys", journeys),
        Route("/api/v1/journeys/{journey:path}", journey),
        Route("/api/v1/runs", runs),
        Route("/api/v1/runs/{run_id:path}", run),
        *_incident_routes(source),
    ]


def _incident_routes(source: Source) -> list[Route]:
    async def incidents(request: Request) -> Response:
        values = parameters(request.query_params, ("limit", "before"))
        limit = whole(values, "limit", _LIMIT, _MOST)
        before = whole(values, "before", None, _MOST_INCIDENTS)
        return JSONResponse(await source.incidents(limit, before))

    async def incident(request: Request) -> Response:
        parameters(request.query_params, ())
        number = request.path_params["number"]
        found = await source.incident(number) if number <= _MOST_INCIDENTS else None
        if found is None:
            raise HTTPException(404, f"no incident has the number {number}, or no longer")
        return JSONResponse(found)

    return [
        Route("/api/v1/incidents", incidents),
        Route("/api/v1/incidents/{number:int}", incident),
    ]


def unknown_run(run_id: str, elsewhere: Sequence[str]) -> str:
    """Say that no run, or not one alone, is meant by what somebody gave as its id.

    ``elsewhere`` are the addresses of other replicas, which may know it.
    """
    said = (
        f"no run has the id {run_id[:_SHOWN]!a}. Old runs are let go of; and where an id is cut, "
        "it takes its first 8 characters at least, and more where several runs begin with them."
    )
    if not elsewhere:
        return said
    listed = ", ".join(elsewhere)
    return (
        f"{said} Of what the location's other replicas walked, only the newest runs of each "
        f"journey are known here; older ones are at {listed}"
    )


def no_journey(name: str, loaded: Sequence[str]) -> str:
    """Say that a journey isn't there, and which are."""
    more = ", …" if len(loaded) > _NAMED else ""
    listed = ", ".join(loaded[:_NAMED]) + more or "none"
    return f"no journey is called {name[:_LONGEST]!a}; known: {listed}"


async def refused(request: Request, error: Exception) -> Response:
    """Tell in JSON why a request came to nothing."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    if isinstance(error, StateError):
        return JSONResponse({"error": str(error)}, 503)
    _log.error("request.failed", action="answer", path=request.url.path, exc_info=error)
    return JSONResponse({"error": "the agent failed on this; its log says on what"}, 500)


async def _pieces(runs: Sequence[str], links: Mapping[str, str]) -> AsyncIterator[str]:
    """Write the answer run by run, so that a slow reader takes no more than a piece of it."""
    for number, run in enumerate(runs):
        yield (", " if number else '{"runs": [') + run
    head = "" if runs else '{"runs": ['
    yield f'{head}], "links": {json.dumps(dict(links))}}}'


def _wanted(given: QueryParams) -> _Wanted:
    values = parameters(given, ("journey", "result", "limit"))
    result = values.get("result", "")
    if result and result not in _RESULTS:
        raise HTTPException(400, f"result must be one of {', '.join(_RESULTS)}, not {_cut(result)}")
    limit = whole(values, "limit", _LIMIT, _MOST)
    return _Wanted(values.get("journey", "")[:_LONGEST], result, limit)


def whole(values: Mapping[str, str], name: str, default: T, most: int) -> int | T:
    """Return a whole number that somebody gives, from 1 on.

    Raises:
        HTTPException: 400 it is none, or above ``most``.

    """
    text = values.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 1 <= int(text) <= most):
        raise HTTPException(
            400, f"{name} must be a whole number from 1 to {most}, not {_cut(text)}"
        )
    return int(text)


def parameters(given: QueryParams, known: Sequence[str]) -> dict[str, str]:
    """Return what an address carries besides, each once and none that a route doesn't take.

    Raises:
        HTTPException: 400.

    """
    values: dict[str, str] = {}
    for name, value in given.multi_items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise HTTPException(400, f"unknown parameter {_cut(name)}; known: {listed}")
        if name in values:
            raise HTTPException(400, f"{name} is given twice")
        values[name] = value
    return values


def _cut(text: str) -> str:
    """Quote what somebody sent, or the beginning of it."""
    return ascii(text[:100])
