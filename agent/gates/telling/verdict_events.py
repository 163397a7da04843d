"""A verdict as a CDEvent: the end of a run of a test suite.

https://cdevents.dev/docs/testing-events/, version 0.5, whose schema takes no keys of ours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.gates.telling.poster import Posted, Poster
    from agent.gates.telling.rollback_hook import Sender
    from agent.server.documents.gates import GateDocument

_SPEC: Final = "0.5.0"
_TYPE: Final = "dev.cdevents.testsuiterun.finished.0.3.0"
_OUTCOMES: Final = {"pass": "success", "fail": "failure", "error": "error"}
_REASON: Final = 1000


async def send(gate: GateDocument, sender: Sender, sink: str, token: str, poster: Poster) -> Posted:
    """Send a gate's verdict to a sink, as a CloudEvent in structured mode."""
    event = cdevent(gate, sender)
    context = event["context"]
    body = {
        "specversion": "1.0",
        "id": context["id"],
        "source": context["source"],
        "type": context["type"],
        "subject": event["subject"]["id"],
        "time": context["timestamp"],
        "datacontenttype": "application/json",
        "data": event,
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return await poster.post(sink, json.dumps(body).encode(), headers)


def cdevent(gate: GateDocument, sender: Sender) -> dict[str, Any]:
    """Return the event; the same gate's is the same one, should it be sent again."""
    content: dict[str, Any] = {
        "environment": {"id": sender.environment},
        "testSuite": {"id": gate["site"], "name": f"Release gate of {gate['site']}"},
        "outcome": _OUTCOMES[gate["verdict"]],
        "reason": "; ".join(gate["reasons"])[:_REASON],
    }
    if gate["release"]:
        content["testSuite"]["version"] = gate["release"]
    if gate["verdict"] == "fail":
        content["severity"] = "critical"
    return {
        "context": {
            "specversion": _SPEC,
            "id": gate["id"],
            "source": sender.url or f"/footfall/{sender.location}",
            "type": _TYPE,
            "timestamp": gate["ended_at"],
        },
        "subject": {"id": gate["id"], "content": content},
    }
