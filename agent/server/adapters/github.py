"""GitHub, which tells of deployments once they are out, and asks before they go out.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status
https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/create-custom-protection-rules
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.core.gate import GateOrder
from agent.server.adapters.payload import Payload
from agent.server.body import received

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.server.adapters.adapter_settings import AdapterSettings
    from agent.server.adapters.askings import Askings
    from agent.server.adapters.deploy_notes import DeployNotes
    from agent.server.adapters.doors import Doors

_log = structlog.get_logger("footfall.server")

PATH: Final = "/api/v1/gates/github"
_SOURCE: Final = "github"
_MOST: Final = 1 << 20
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_RUN: Final = re.compile(r"/actions/runs/([0-9]{1,18})/deployment_protection_rule")
_CALLBACK: Final = 2000
"""Characters of the address that a rule is answered at, of which the run's number alone is read."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One that waits for its protection rule. Where GitHub answers is not for it to say."""

    repository: str
    run: int
    environment: str
    installation: int


class ProtectionRules(Protocol):
    """Has production judged for deployments that wait, and reports the verdict to GitHub."""

    def trouble(self) -> str:
        """Say why nothing can be reported; "": it can."""
        ...

    def judge(self, deployment: Deployment, order: GateOrder, key: str) -> None:
        """Begin; the same ``key`` is begun once."""
        ...


class GitHubHook:
    """Answers deliveries at once: GitHub gives up after 10 s, and never sends one again by itself.

    What identifies a delivery is the body, which is signed: its id is not.
    """

    def __init__(
        self,
        settings: Callable[[], AdapterSettings],
        doors: Doors,
        askings: Askings,
        notes: DeployNotes,
        rules: ProtectionRules,
    ) -> None:
        self._settings = settings
        self._doors = doors
        self._askings = askings
        self._notes = notes
        self._rules = rules

    def route(self) -> Route:
        """Return the route: one for all events of a webhook."""
        return Route(PATH, self._answer, methods=["POST"])

    async def _answer(self, request: Request) -> Response:
        settings = self._settings()
        body = await received(request, _MOST, "body")
        self._doors.signed(request, "gate.github.secret", settings.github, body)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(415, "set the webhook's content type to application/json")
        payload = Payload(body)
        delivery = hashlib.sha256(body).hexdigest()
        match request.headers.get("x-github-event", ""):
            case "ping":
                return JSONResponse({"pong": True})
            case "deployment_status":
                return await self._deployed(payload, settings, delivery)
            case "deployment_protection_rule":
                return self._asked(payload, settings, delivery)
            case other:
                return _ignored(f"the event {other[:80]!a} is none that is judged")

    async def _deployed(
        self, payload: Payload, settings: AdapterSettings, delivery: str
    ) -> Response:
        state = payload.text("deployment_status", "state")
        if state != "success":
            return _ignored(f"the deployment's state is {state!a}, not success")
        name = _name(payload, payload.text("deployment", "environment"))
        site = settings.github_deploys.get(name)
        if site is None:
            return _ignored(f"{name!a} is no deploy of gate.github.deploys")
        any_release = settings.github_release == "none"
        release = payload.text("deployment", "sha" if any_release else settings.github_release)
        order = GateOrder(site=site, release="" if any_release else release, source=_SOURCE)
        await self._notes.note(order, delivery, release)
        gate = await self._askings.once(delivery, order)
        return JSONResponse({"gate": gate["id"], "address": gate["address"]}, 202)

    def _asked(self, payload: Payload, settings: AdapterSettings, delivery: str) -> Response:
        if payload.text("action") != "requested":
            return _ignored("nothing is requested")
        environment = payload.text("environment")
        name = _name(payload, environment)
        site = settings.github_deploys.get(name)
        if site is None:
            return _ignored(f"{name!a} is no deploy of gate.github.deploys")
        if trouble := self._rules.trouble():
            raise HTTPException(422, trouble)
        found = _RUN.search(payload.text("deployment_callback_url", most=_CALLBACK))
        if found is None:
            raise HTTPException(422, "deployment_callback_url names no run")
        deployment = Deployment(
            repository=name.partition(":")[0],
            run=int(found[1]),
            environment=environment,
            installation=payload.number("installation", "id"),
        )
        self._rules.judge(deployment, GateOrder(site=site, source=_SOURCE), delivery)
        return JSONResponse({"judging": site}, 202)


def _name(payload: Payload, environment: str) -> str:
    """Return what ``gate.github.deploys`` calls a deploy."""
    repository = payload.text("repository", "full_name")
    if not _REPOSITORY.fullmatch(repository):
        raise HTTPException(422, "repository.full_name is no name of a repository")
    return f"{repository}:{environment}"


def _ignored(why: str) -> Response:
    _log.info("delivery.ignored", action="gate", source=_SOURCE, why=why)
    return JSONResponse({"ignored": why}, 202)
