"""CDEvents of deploys, as CloudEvents over HTTP in either mode.

https://cdevents.dev/docs/continuous-deployment/ and
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.core.gate import GateOrder
from agent.server.adapters.payload import MOST, Payload
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

PATH: Final = "/api/v1/gates/cdevents"
_SOURCE: Final = "cdevents"
_MOST_BYTES: Final = 256 * 1024
_STRUCTURED: Final = "application/cloudevents+json"
_BINARY: Final = frozenset({"application/json", "application/cdevents+json"})
_DEPLOYS: Final = re.compile(r"dev\.cdevents\.service\.(deployed|upgraded|rolledback)\.[0-9].*")
_LONGEST: Final = 1000
"""Characters of a source and of an artifact's id."""


def cdevents_route(
    settings: Callable[[], AdapterSettings], doors: Doors, askings: Askings, notes: DeployNotes
) -> Route:
    """Return the route. An event is answered at once; its source and id say which one it is."""

    async def receive(request: Request) -> Response:
        now = settings()
        doors.bearer(request, "gate.cdevents.token", now.cdevents)
        event, below = _event(request, await received(request, _MOST_BYTES, "body"))
        kind = event.text(*below, "context", "type")
        if not _DEPLOYS.fullmatch(kind):
            return _ignored(f"the type {kind!a} is none that is judged")
        environment = event.text(*below, "subject", "content", "environment", "id")
        name = f"{environment}:{event.text(*below, 'subject', 'id')}"
        site = now.cdevents_deploys.get(name)
        if site is None:
            return _ignored(f"{name!a} is no deploy of gate.cdevents.deploys")
        release = _release(event.text(*below, "subject", "content", "artifactId", most=_LONGEST))
        source = event.text(*below, "context", "source", most=_LONGEST)
        event_id = event.text(*below, "context", "id")
        order = GateOrder(site=site, release=release, source=_SOURCE)
        which = f"{source} {event_id}"
        await notes.note(order, which)
        gate = await askings.once(which, order)
        return JSONResponse({"gate": gate["id"], "address": gate["address"]}, 202)

    return Route(PATH, receive, methods=["POST"])


def _event(request: Request, body: bytes) -> tuple[Payload, tuple[str, ...]]:
    """Return what was sent, and where in it the CDEvent is."""
    kinds = request.headers.getlist("content-type")
    kind = kinds[0].partition(";")[0].strip().lower() if len(kinds) == 1 else ""
    below: tuple[str, ...] = ()
    if kind == _STRUCTURED:
        event, below = Payload(body), ("data",)
        version, named = event.text("specversion"), event.text("type")
    elif kind in _BINARY:
        event = Payload(body)
        version, named = (request.headers.get(f"ce-{name}", "") for name in ("specversion", "type"))
    else:
        raise HTTPException(415, f"send one CloudEvent, as {_STRUCTURED} or with ce- headers")
    if version != "1.0":
        raise HTTPException(422, "specversion must be 1.0")
    if named != event.text(*below, "context", "type"):
        raise HTTPException(422, "the CloudEvent's type and the CDEvent's differ")
    return event, below


def _release(artifact: str) -> str:
    """Return an artifact's tag, or its version, as its package URL has it; else its id as it is."""
    if not artifact.startswith("pkg:"):
        found = artifact
    else:
        path, _, rest = artifact.partition("#")[0].partition("?")
        tag = dict(parse_qsl(rest)).get("tag", "")
        found = tag or (unquote(path.rpartition("@")[2]) if "@" in path else "")
    if not found.isprintable() or len(found) > MOST:
        raise HTTPException(422, "subject.content.artifactId names no version of one line")
    return found


def _ignored(why: str) -> Response:
    _log.info("delivery.ignored", action="gate", source=_SOURCE, why=why)
    return JSONResponse({"ignored": why}, 202)
