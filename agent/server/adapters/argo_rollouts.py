"""Argo Rollouts, whose web metric asks, gives up after 10 s, and asks again four times.

https://argo-rollouts.readthedocs.io/en/stable/analysis/web/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.server.adapters.adapter_settings import Canary
from agent.server.adapters.measurement import SOURCE, Measurement
from agent.server.body import body_of
from agent.server.control import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.adapters.adapter_settings import AdapterSettings
    from agent.server.adapters.askings import Askings
    from agent.server.adapters.deploy_notes import DeployNotes
    from agent.server.adapters.doors import Doors

_log = structlog.get_logger("footfall.server")

PATH: Final = "/api/v1/gates/argo-rollouts"
_LONGEST: Final = 80.0
"""Seconds from its first to its last question, if each but the last is answered with 503."""
_TOO_LONG: Final = f"within must be {_LONGEST:.0f}s or less: then Argo Rollouts stops asking"
_NOT_NOW: Final = 503


def argo_rollouts_route(
    settings: Callable[[], AdapterSettings], doors: Doors, askings: Askings, notes: DeployNotes
) -> Route:
    """Return the route. A verdict is 200, also ``error``, which Argo pauses at; none yet is 503."""

    async def measure(request: Request) -> Response:
        since = askings.now()
        now = settings()
        doors.bearer(request, "gate.argo_rollouts.token", now.argo_rollouts)
        asked = await body_of(request, Measurement)
        order = asked.order(now.canaries.get(asked.site, Canary()))
        if order.within > _LONGEST:
            return _unknown(_TOO_LONG)
        try:
            gate = await askings.held(asked.measurement, order, since)
        except Refused as refusal:
            # Any other status is an error to Argo, and five of them a roll-back.
            if refusal.status == _NOT_NOW:
                raise
            return _unknown(str(refusal))
        await notes.note(order, order.release)
        if gate["verdict"] == "pending":
            told = {"error": "there is no verdict yet: ask again", **gate}
            return JSONResponse(told, 503, {"Retry-After": "1"})
        return JSONResponse(gate)

    return Route(PATH, measure, methods=["POST"])


def _unknown(why: str) -> Response:
    _log.warning("gate.not_asked", action="gate", source=SOURCE, error=why)
    return JSONResponse({"verdict": "error", "reasons": [why]})
