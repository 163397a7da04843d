"""What deploy tools send, with the keys and values that they have there; and who judges for them.

- Argo Rollouts: the request is the template's, ``deploy/gates/argo-rollouts.yaml``; the client is
  ``metricproviders/webmetric/webmetric.go`` of argoproj/argo-rollouts.
- Flagger: ``docs/gitbook/usage/webhooks.md`` and ``pkg/controller/webhook.go`` of fluxcd/flagger.
- GitHub: ``payload-examples/api.github.com/deployment_status`` of octokit/webhooks, and the page
  "Webhook events and payloads", ``deployment_protection_rule``, of GitHub's documentation.
- CDEvents: ``conformance/service_*.json`` of cdevents/spec at 0.5.0; the bindings of
  cloudevents/spec 1.0.2.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.core.gate import GateOrder
from agent.server.adapters.adapter_settings import AdapterSettings, Canary
from agent.server.control import Refused
from tests.support.asked_gates import gate_document

if TYPE_CHECKING:
    from agent.server.adapters.github import Deployment
    from agent.server.documents.gates import GateDocument

SECRETS = {
    "argo_rollouts": "argo-0123456789abcdef",
    "flagger": "16688eb5e9f289f1991c",
    "github": "github-0123456789abcdef",
    "cdevents": "cdevents-0123456789abcdef",
}
SETTINGS = AdapterSettings(
    **SECRETS,
    github_deploys={"Codertocat/Hello-World:production": "shop"},
    cdevents_deploys={"test123:mySubject123": "shop"},
    canaries={"shop": Canary("https://canary.shop.example.com", {"x-canary": "always"})},
)
SHA = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
_REPO = "https://api.github.com/repos/Codertocat/Hello-World"
_USER = {
    "login": "Codertocat",
    "id": 21031067,
    "node_id": "MDQ6VXNlcjIxMDMxMDY3",
    "avatar_url": "https://avatars1.githubusercontent.com/u/21031067?v=4",
    "gravatar_id": "",
    "url": "https://api.github.com/users/Codertocat",
    "type": "User",
    "site_admin": False,
}
_REPOSITORY = {
    "id": 186853002,
    "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=",
    "name": "Hello-World",
    "full_name": "Codertocat/Hello-World",
    "private": False,
    "owner": _USER,
    "html_url": "https://github.com/Codertocat/Hello-World",
    "description": None,
    "fork": False,
    "url": _REPO,
    "homepage": None,
    "default_branch": "master",
}
_DEPLOYMENT = {
    "url": f"{_REPO}/deployments/145988746",
    "id": 145988746,
    "node_id": "MDEwOkRlcGxveW1lbnQxNDU5ODg3NDY=",
    "sha": SHA,
    "ref": "master",
    "task": "deploy",
    "payload": {},
    "original_environment": "production",
    "environment": "production",
    "description": None,
    "creator": _USER,
    "created_at": "2019-05-15T15:20:53Z",
    "updated_at": "2019-05-15T15:20:55Z",
    "statuses_url": f"{_REPO}/deployments/145988746/statuses",
    "repository_url": _REPO,
    "performed_via_github_app": None,
}


def measurement(**said: Any) -> dict[str, Any]:
    """Return what the template for Argo Rollouts sends."""
    return {
        "site": "shop",
        "release": "1.4.3",
        "measurement": "shop/web 7-6c54544bf9 canary",
        "within": "10s",
    } | said


def canary_hook(**said: Any) -> dict[str, Any]:
    """Return what Flagger sends; ``metadata`` is added to."""
    metadata = {"token": SECRETS["flagger"], "site": "shop", "release": "1.4.3"}
    metadata |= said.pop("metadata", {})
    return {
        "name": "podinfo",
        "namespace": "test",
        "phase": "Progressing",
        "checksum": "85d557f47b",
        "metadata": metadata,
    } | said


def canary_event(phase: str) -> dict[str, Any]:
    """Return what Flagger sends to an ``event`` hook."""
    told = {
        "eventMessage": "New revision detected! Scaling up podinfo.test",
        "eventType": "Normal",
        "timestamp": "1764236400000",
    }
    return canary_hook(phase=phase, metadata=told)


def deployment_status(state: str = "success", **said: Any) -> dict[str, Any]:
    """Return what GitHub sends once a deployment has a status; ``said`` is said of both."""
    status = {
        "url": f"{_REPO}/deployments/145988746/statuses/209916254",
        "id": 209916254,
        "node_id": "MDE2OkRlcGxveW1lbnRTdGF0dXMyMDk5MTYyNTQ=",
        "state": state,
        "creator": _USER,
        "description": "",
        "environment": "production",
        "target_url": "",
        "created_at": "2019-05-15T15:20:55Z",
        "updated_at": "2019-05-15T15:20:55Z",
        "deployment_url": f"{_REPO}/deployments/145988746",
        "repository_url": _REPO,
    }
    return {
        "action": "created",
        "deployment_status": status | said,
        "deployment": _DEPLOYMENT | said,
        "repository": _REPOSITORY,
        "sender": _USER,
        "installation": {"id": 1, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ=="},
    }


def protection_rule(**said: Any) -> dict[str, Any]:
    """Return what GitHub sends when a workflow waits for a rule of an App's."""
    return {
        "action": "requested",
        "environment": "production",
        "event": "push",
        "sha": SHA,
        "ref": "refs/heads/master",
        "deployment_callback_url": f"{_REPO}/actions/runs/4493385896/deployment_protection_rule",
        "deployment": _DEPLOYMENT,
        "pull_requests": [],
        "repository": _REPOSITORY,
        "installation": {"id": 12345678, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ=="},
        "sender": _USER,
    } | said


def service_event(kind: str = "deployed", **content: Any) -> dict[str, Any]:
    """Return a CDEvent of a service's deploy."""
    context_id = "5328c37f-bb7e-4bb7-84ea-9f5f85e4a7ce"
    trigger = {
        "linkType": "RELATION",
        "linkKind": "TRIGGER",
        "target": {"contextId": context_id},
        "tags": {"foo1": "bar", "foo2": "bar"},
    }
    return {
        "context": {
            "specversion": "0.5.0",
            "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
            "chainId": "4c8cb7dd-3448-41de-8768-eec704e2829b",
            "source": "/event/source/123",
            "type": f"dev.cdevents.service.{kind}.0.3.0",
            "timestamp": "2023-03-20T14:27:05.315384Z",
            "schemaUri": "https://myorg.com/schema/custom",
            "links": [trigger],
        },
        "subject": {
            "id": "mySubject123",
            "source": "/event/source/123",
            "content": {
                "environment": {"id": "test123"},
                "artifactId": "pkg:oci/myapp@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa",
            }
            | content,
        },
    }


def binary(event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a CDEvent as a CloudEvent in binary mode."""
    context = event["context"]
    headers = {
        "ce-specversion": "1.0",
        "ce-type": context["type"],
        "ce-source": context["source"],
        "ce-id": context["id"],
        "ce-subject": event["subject"]["id"],
        "ce-time": context["timestamp"],
        "Content-Type": "application/cdevents+json; charset=utf-8",
    }
    return json.dumps(event).encode(), headers


def structured(event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a CDEvent as a CloudEvent in structured mode."""
    context = event["context"]
    told = {
        "specversion": "1.0",
        "type": context["type"],
        "source": context["source"],
        "id": context["id"],
        "subject": event["subject"]["id"],
        "time": context["timestamp"],
        "datacontenttype": "application/cdevents+json",
        "data": event,
    }
    return json.dumps(told).encode(), {"Content-Type": "application/cloudevents+json"}


def delivery(event: str, payload: object, secret: str = SECRETS["github"]) -> dict[str, Any]:
    """Return a delivery of GitHub's, as what ``session.post`` takes."""
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return {"data": body, "headers": headers}


@dataclass
class Judged:
    """Judges as it is told to, and is the memory of what was asked: ``Gates`` for adapters."""

    verdict: str = "pass"
    """Of gates that are waited for, or asked for again."""
    reasons: list[str] = field(default_factory=lambda: ["5 of 5 walks passed"])
    refuses: Exception | None = None
    orders: list[GateOrder] = field(default_factory=list)
    """One a gate."""
    waited: list[float] = field(default_factory=list)
    deploys: list[tuple[str, str, str]] = field(default_factory=list)
    rules: list[tuple[Deployment, GateOrder, str]] = field(default_factory=list)
    why_not: str = ""
    unwritten: bool = False
    """Whether no deploy can be noted."""
    _by_key: dict[str, GateDocument] = field(default_factory=dict)

    async def ask(self, order: GateOrder, key: str = "") -> GateDocument:
        """Return the gate of this key."""
        if self.refuses is not None:
            raise self.refuses
        if key not in self._by_key:
            self.orders.append(order)
            self._by_key[key] = a_gate(order, str(len(self.orders)))
        return self._by_key[key]

    async def wait(self, gate_id: str, seconds: float = 0.0) -> GateDocument | None:
        """Return the gate, decided as it was told."""
        self.waited.append(seconds)
        gate = next(one for one in self._by_key.values() if one["id"] == gate_id)
        if gate["verdict"] == "pending" and self.verdict != "pending":
            self.decide(gate, datetime.now(UTC))
        return gate

    def decide(self, gate: GateDocument, at: datetime) -> None:
        """Give a gate the verdict, at a time."""
        told: Any = {"verdict": self.verdict, "reasons": self.reasons, "ended_at": at.isoformat()}
        gate.update(told)

    @property
    def gates(self) -> list[GateDocument]:
        """All that were asked for."""
        return list(self._by_key.values())

    async def note(
        self, site: str, release: str, at: float | None = None, source: str = "api", url: str = ""
    ) -> Any:
        """Take note."""
        assert (at, url) == (None, "")
        if self.unwritten:
            raise Refused(503, "no deploy can be written down now")
        self.deploys.append((site, release, source))

    async def newest(self, limit: int, site: str = "") -> Any:
        """Nobody asks."""
        raise NotImplementedError(limit, site)

    def trouble(self) -> str:
        """Say why no rule can be answered."""
        return self.why_not

    def judge(self, deployment: Deployment, order: GateOrder, key: str) -> None:
        """Take note."""
        self.rules.append((deployment, order, key))


def a_gate(order: GateOrder, gate_id: str) -> GateDocument:
    """Return a gate that was just asked for."""
    return {
        **gate_document(order),
        "id": gate_id,
        "address": f"/api/v1/gates/{gate_id}",
        "headers": list(order.headers),
        "asked_at": "2027-01-15T07:59:53Z",
        "trace_id": "0" * 32,
    }


def a_verdict(verdict: str, **said: Any) -> GateDocument:
    """Return a gate that has its verdict."""
    gate = a_gate(GateOrder("shop", ("buy",), "1.4.3"), "01926d5e-6b2c-7c3a-9d2e-1f0a2b3c4d5e")
    told: Any = {"verdict": verdict, "reasons": ["buy: 2 of 2 walks failed", "on /cart"]}
    gate.update(told | {"ended_at": "2027-01-15T08:00:00Z", "seconds": 7.0} | said)
    return gate
