"""What is called when a gate fails, so that somebody's tool rolls back."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.gates.telling.poster import Posted, Poster
    from agent.server.documents.gates import GateDocument

_TOLD: Final = (
    "id",
    "site",
    "release",
    "url",
    "source",
    "asked_at",
    "ended_at",
    "verdict",
    "reasons",
)
"""Of the gate; its walks are to be had by its address."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells: of which environment, from where, and under which address it is reached."""

    environment: str
    location: str
    url: str = ""
    """"": it isn't known."""


@dataclass(frozen=True, slots=True)
class RollbackHook:
    """Calls ``url``, signed with ``secret`` as GitHub signs its webhooks.

    What can check those can check this: ``X-Hub-Signature-256`` has the HMAC of the body.
    """

    url: str
    secret: str = field(repr=False)

    async def call(self, gate: GateDocument, sender: Sender, poster: Poster) -> Posted:
        """Call it for a gate, whose id says whether it was called for it before."""
        body = json.dumps(_body(gate, sender)).encode()
        signature = hmac.digest(self.secret.encode(), body, "sha256").hex()
        headers = {
            "Content-Type": "application/json",
            "X-Footfall-Event": "gate.failed",
            "X-Footfall-Delivery": gate["id"],
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        return await poster.post(self.url, body, headers)


def _body(gate: GateDocument, sender: Sender) -> dict[str, Any]:
    told: dict[str, Any] = {name: value for name, value in gate.items() if name in _TOLD}
    return {
        "event": "gate.failed",
        "environment": sender.environment,
        "location": sender.location,
        "gate": told | {"address": sender.url + gate["address"]},
    }
