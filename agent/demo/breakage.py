"""The switch that breaks checkout, and the page to throw it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from agent.demo.render import Render
    from agent.demo.rollout import Rollout

SLOW_SECONDS = 30.0
"""How long checkout takes to answer while it is slowed."""


class Mode(StrEnum):
    """What is broken."""

    NONE = "none"
    ERROR = "error"
    SLOW = "slow"
    SCRIPT = "script"


_MEANINGS = {
    Mode.NONE: ("Mend it", "Everything works."),
    Mode.ERROR: ("Answer 500", "Placing an order answers 500."),
    Mode.SLOW: ("Slow it down", f"Placing an order takes {SLOW_SECONDS:.0f} seconds."),
    Mode.SCRIPT: (
        "Break its script",
        "The checkout page's script throws, so no order can be sent.",
    ),
}


@dataclass(slots=True)
class Switch:
    """What is broken: by a person, or else by the release that runs."""

    rollout: Rollout
    thrown: Mode = Mode.NONE

    @property
    def mode(self) -> Mode:
        """What the pages that it breaks go by."""
        return Mode.ERROR if self.thrown is Mode.NONE and self.rollout.is_bad else self.thrown


class Control:
    """``GET /demo`` shows the switch, ``POST /demo/break/{mode}`` throws it."""

    def __init__(self, switch: Switch, render: Render) -> None:
        self._switch = switch
        self._render = render

    def routes(self) -> list[BaseRoute]:
        """Routes of the switch."""
        return [
            Route("/demo", self._show),
            Route("/demo/break/{mode}", self._break, methods=["POST"]),
        ]

    async def _show(self, _request: Request) -> Response:
        return self._render.page(
            "demo.html",
            current=self._switch.thrown,
            rollout=self._switch.rollout,
            meanings=_MEANINGS,
        )

    async def _break(self, request: Request) -> Response:
        try:
            self._switch.thrown = Mode(request.path_params["mode"])
        except ValueError:
            modes = [mode.value for mode in Mode]
            error = f"unknown mode; POST /demo/break/ one of: {', '.join(modes)}"
            return JSONResponse({"error": error, "modes": modes}, status_code=400)
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/demo", status_code=303)
        return JSONResponse({"mode": self._switch.thrown})
