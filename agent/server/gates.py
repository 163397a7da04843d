"""``/api/v1/gates``: asking for a verdict on a release, and waiting for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.core.units import parse_duration
from agent.server.body import body_of
from agent.server.gate_body import GateBody

if TYPE_CHECKING:
    from starlette.datastructures import Headers, QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from agent.core.gate import GateOrder
    from agent.server.documents.gates import GateDocument

PATH: Final = "/api/v1/gates"
LONGEST_WAIT: Final = 60.0
"""Seconds for which one request may wait."""
_KEY: Final = re.compile(r"[!-~]{1,255}")
_LONGEST: Final = 100


class Gates(Protocol):
    """Has releases judged."""

    async def ask(self, order: GateOrder, key: str = "") -> GateDocument:
        """Begin a gate; return it as it stands.

        Who asks for the same again under the same ``key`` is told of the gate that there is.

        Raises:
            Refused: 404 there is no such site or journey, 409 as things are, 422 the address, a
                header or a time isn't allowed, or the key stands for another order, 503 not now.

        """
        ...

    async def wait(self, gate_id: str, seconds: float = 0.0) -> GateDocument | None:
        """Return a gate once it has its verdict, or as it stands after so many seconds.

        Sooner where the agent ends or too many wait. None: there is none such, or no longer.
        """
        ...


def gate_routes(gates: Gates) -> list[Route]:
    """Return the routes that people and programs ask by themselves."""

    async def ask(request: Request) -> Response:
        body = await body_of(request, GateBody)
        told = await gates.ask(body.order(), _key(request.headers))
        return JSONResponse(told, 202, {"Location": told["address"]})

    async def one(request: Request) -> Response:
        gate_id = request.path_params["gate_id"][:_LONGEST]
        found = await gates.wait(gate_id, _wait(request.query_params))
        if found is None:
            raise HTTPException(404, unknown_gate(gate_id))
        return JSONResponse(found)

    return [
        Route(PATH, ask, methods=["POST"]),
        Route(f"{PATH}/{{gate_id}}", one, methods=["GET"]),
    ]


def unknown_gate(gate_id: str) -> str:
    """Say that there is no such gate."""
    return f"no gate has the id {gate_id!a}, or no longer"


def _key(headers: Headers) -> str:
    given = headers.getlist("idempotency-key")
    if not given:
        return ""
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise HTTPException(400, "Idempotency-Key must be 1 to 255 characters without spaces, once")
    return given[0]


def _wait(given: QueryParams) -> float:
    values = given.multi_items()
    if not values:
        return 0.0
    if [name for name, _ in values] != ["wait"]:
        raise HTTPException(400, "takes the parameter wait alone, once")
    try:
        seconds = parse_duration(values[0][1])
    except ValueError as error:
        raise HTTPException(400, f"wait: {str(error)[:300]}") from None
    if seconds > LONGEST_WAIT:
        raise HTTPException(400, f"wait must be {LONGEST_WAIT:.0f}s or less: ask again instead")
    return seconds
