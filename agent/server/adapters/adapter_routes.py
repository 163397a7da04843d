"""The adapters' routes together, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.server.adapters.argo_rollouts import argo_rollouts_route
from agent.server.adapters.askings import Askings
from agent.server.adapters.cdevents import cdevents_route
from agent.server.adapters.deploy_notes import DeployNotes
from agent.server.adapters.doors import Doors
from agent.server.adapters.flagger import FlaggerHooks
from agent.server.adapters.github import GitHubHook

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import Route

    from agent.core.clock import Clock
    from agent.server.adapters.adapter_settings import AdapterSettings
    from agent.server.adapters.github import ProtectionRules
    from agent.server.deploys import Deploys
    from agent.server.gates import Gates


def adapter_routes(
    settings: Callable[[], AdapterSettings],
    gates: Gates,
    deploys: Deploys,
    rules: ProtectionRules,
    clock: Clock,
) -> list[Route]:
    """Return them; each takes POST alone, and lets in by its own secret."""
    doors, askings, notes = (
        Doors(clock.monotonic),
        Askings(gates, clock),
        DeployNotes(deploys, clock),
    )
    return [
        argo_rollouts_route(settings, doors, askings, notes),
        *FlaggerHooks(settings, doors, askings, notes).routes(),
        GitHubHook(settings, doors, askings, notes, rules).route(),
        cdevents_route(settings, doors, askings, notes),
    ]
