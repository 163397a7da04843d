"""Flagger, which asks by webhook at each stage of a canary, and gives up after 10 s.

https://docs.flagger.app/usage/webhooks
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from agent.core.gate import GateOrder
from agent.core.printable import cut, printable
from agent.core.units import parse_duration
from agent.server.adapters.adapter_settings import Canary
from agent.server.adapters.payload import Payload
from agent.server.body import received
from agent.server.control import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.adapters.adapter_settings import AdapterSettings
    from agent.server.adapters.askings import Askings
    from agent.server.adapters.deploy_notes import DeployNotes
    from agent.server.adapters.doors import Doors
    from agent.server.documents.gates import GateDocument

_log = structlog.get_logger("footfall.server")

PATH: Final = "/api/v1/gates/flagger"
_SOURCE: Final = "flagger"
_MOST: Final = 64 * 1024
_MOST_JOURNEYS: Final = 100
_WITHIN: Final = "8s"
"""So that the verdict fits into the one question."""
_SHOWN: Final = 300
"""Characters of a reason: it goes into a Kubernetes event."""
_DENIES: Final = 409
"""Flagger asks again at 429 and from 500 on, and drops what is said with them."""


@dataclass(frozen=True, slots=True)
class _Hook:
    """A stage at which Flagger asks."""

    on_canary: bool = True
    """Whether the canary is what it is about, rather than what customers get."""
    inverted: bool = False
    """Whether yes means to roll back."""
    asks: bool = True
    """Whether it asks anything; it only tells else."""


HOOKS: Final = {
    "confirm-rollout": _Hook(on_canary=False),
    "pre-rollout": _Hook(),
    "rollout": _Hook(),
    "confirm-traffic-increase": _Hook(),
    "confirm-promotion": _Hook(),
    "post-rollout": _Hook(on_canary=False),
    "rollback": _Hook(inverted=True),
    "event": _Hook(asks=False),
}


class FlaggerHooks:
    """Answers each hook: 200 is yes; no is 409 with the reason in one line, as Flagger shows it.

    It knows no third answer, so no verdict is a no that says so.
    """

    def __init__(
        self,
        settings: Callable[[], AdapterSettings],
        doors: Doors,
        askings: Askings,
        notes: DeployNotes,
    ) -> None:
        self._settings = settings
        self._doors = doors
        self._askings = askings
        self._notes = notes

    def routes(self) -> list[Route]:
        """Return one route a hook: what Flagger sends doesn't say which of them it is."""
        return [
            Route(f"{PATH}/{name}", self._answering(name, hook), methods=["POST"])
            for name, hook in HOOKS.items()
        ]

    def _answering(self, name: str, hook: _Hook) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            since = self._askings.now()
            try:
                return await self._answer(request, name, hook, since)
            except Refused as refusal:
                _log.warning("gate.not_asked", action="gate", source=_SOURCE, error=str(refusal))
                return _no(f"no verdict: {refusal}")
            except HTTPException as refusal:
                status = refusal.status_code
                again = status == 429 or status >= 500
                return _no(refusal.detail, _DENIES if again else status)

        return answer

    async def _answer(self, request: Request, name: str, hook: _Hook, since: float) -> Response:
        settings = self._settings()
        payload = Payload(await received(request, _MOST, "body"))
        token = payload.text("metadata", "token", default="", most=_MOST)
        where = "metadata.token of the webhook"
        self._doors.said(request, "gate.flagger.token", settings.flagger, token, where)
        order = _order(payload, settings, hook)
        canary = f"{payload.text('namespace')}/{payload.text('name')}"
        which = f"{canary} {payload.text('checksum')}"
        if not hook.asks:
            if payload.text("phase") == "Progressing":
                await self._notes.note(order, which)
            return PlainTextResponse("noted\n")
        # All that ask of the canary ask the same.
        what = "canary" if hook.on_canary else name
        gate = await self._askings.held(f"{what} {which}", order, since)
        if hook.on_canary:
            await self._notes.note(order, which)
        return _answered(gate, hook)


def _order(payload: Payload, settings: AdapterSettings, hook: _Hook) -> GateOrder:
    site = payload.text("metadata", "site")
    named = payload.text("metadata", "journeys", default="").split(",")
    journeys = tuple(name.strip() for name in named if name.strip())
    if len(journeys) > _MOST_JOURNEYS:
        raise HTTPException(422, f"metadata.journeys names more than {_MOST_JOURNEYS}")
    try:
        within = parse_duration(payload.text("metadata", "within", default=_WITHIN, most=50))
    except ValueError as error:
        raise HTTPException(422, f"metadata.within: {error}") from None
    canary = settings.canaries.get(site, Canary()) if hook.on_canary else Canary()
    release = payload.text("metadata", "release", default="").strip()
    is_new = hook.on_canary or payload.text("phase", default="") == "Succeeded"
    return GateOrder(
        site=site,
        journeys=journeys,
        release=release if is_new else "",
        url=canary.url,
        headers=canary.headers,
        within=within,
        source=_SOURCE,
    )


def _answered(gate: GateDocument, hook: _Hook) -> Response:
    reason = gate["reasons"][0] if gate["reasons"] else "no reason is known"
    match gate["verdict"]:
        case "pending":
            return _no("no verdict yet: the release is still being walked")
        case "error":
            return _no(f"no verdict: {reason}")
        case "fail" if hook.inverted:
            return PlainTextResponse(_line(f"roll back: {reason}"))
        case "pass" if hook.inverted:
            return _no("no reason to roll back")
        case "fail":
            return _no(f"fail: {reason}")
        case "pass":
            return PlainTextResponse(_line(f"pass: {reason}"))


def _no(reason: str, status: int = _DENIES) -> Response:
    return PlainTextResponse(_line(reason), status)


def _line(text: str) -> str:
    return cut(" ".join(printable(text).split()), _SHOWN) + "\n"
