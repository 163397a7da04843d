"""GitHub: signed deliveries are taken at once, each one once, and only of deploys that are ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from io import BytesIO

import pytest

from agent.core.clock import SystemClock
from agent.server.adapters.adapter_routes import adapter_routes
from agent.server.adapters.github import Deployment
from agent.server.app import MoreRoutes
from agent.server.control import Refused
from tests.support.api import Served
from tests.support.asked_gates import AskedGates
from tests.support.deploy_tools import (
    SECRETS,
    SETTINGS,
    SHA,
    delivery,
    deployment_status,
    protection_rule,
)

PATH = "/api/v1/gates/github"


async def delivered(served, event, payload, **more):
    async with served.session.post(PATH, **(delivery(event, payload) | more)) as response:
        return response.status, await response.json()


async def test_a_deployment_that_is_out_is_judged(served, judged):
    """202 at once with the gate's address: GitHub waits 10 s and never asks again. What has to
    answer is the deployment's commit, and the site is that of the configuration."""
    gate = {"gate": "1", "address": "/api/v1/gates/1"}
    assert await delivered(served, "deployment_status", deployment_status()) == (202, gate)
    (order,) = judged.orders
    assert (order.site, order.release, order.source) == ("shop", SHA, "github")
    assert (order.url, dict(order.headers)) == ("", {})
    assert judged.waited == []
    assert judged.deploys == [("shop", SHA, "github")]


@pytest.mark.parametrize(("called", "release"), [("sha", SHA), ("ref", "master"), ("none", "")])
async def test_the_release_is_what_the_configuration_calls_it(tmp_path, judged, called, release):
    """Its commit, its ref, or whichever answers; what is noted is what went out."""
    settings = replace(SETTINGS, github_release=called)
    routes = adapter_routes(lambda: settings, judged, judged, judged, SystemClock())
    async with Served(tmp_path, more=MoreRoutes(AskedGates(), adapters=routes)) as served:
        await delivered(served, "deployment_status", deployment_status())
    assert [order.release for order in judged.orders] == [release]
    assert judged.deploys == [("shop", release or SHA, "github")]


async def test_the_same_delivery_is_answered_alike(served, judged):
    """Sent again, by GitHub or by whoever has seen it go by, under another id too: the id isn't
    signed. Another status of the same deployment is another one."""
    payload = deployment_status()
    first = await delivered(served, "deployment_status", payload)
    sent = delivery("deployment_status", payload)
    again = sent["headers"] | {"X-GitHub-Delivery": "ffffffff-cc78-11e3-81ab-4c9367dc0958"}
    assert await delivered(served, "deployment_status", payload) == first
    assert await delivered(served, "deployment_status", payload, headers=again) == first
    assert (len(judged.orders), len(judged.deploys)) == (1, 1)
    payload["deployment_status"]["id"] += 1
    assert (await delivered(served, "deployment_status", payload))[1]["gate"] == "2"


IGNORED = {
    "not out yet": ("deployment_status", deployment_status("in_progress")),
    "failed": ("deployment_status", deployment_status("failure")),
    "another environment": ("deployment_status", deployment_status(environment="staging")),
    "another repository": (
        "deployment_status",
        deployment_status() | {"repository": {"full_name": "mona/lisa"}},
    ),
    "no event of ours": ("push", {"ref": "refs/heads/main"}),
    "a rule elsewhere": ("deployment_protection_rule", protection_rule(environment="staging")),
    "nothing requested": ("deployment_protection_rule", protection_rule(action="edited")),
}


@pytest.mark.parametrize("kind", IGNORED)
async def test_what_is_none_of_ours_is_taken_and_ignored(served, judged, kind):
    """With the reason, which GitHub shows beside the delivery."""
    status, told = await delivered(served, *IGNORED[kind])
    assert (status, list(told)) == (202, ["ignored"])
    assert (judged.orders, judged.deploys, judged.rules) == ([], [], [])


async def test_a_new_webhook_is_greeted(served):
    """GitHub sends a ping first."""
    ping = {"zen": "Approachable is better than simple.", "hook_id": 292430182, "hook": {}}
    assert await delivered(served, "ping", ping) == (200, {"pong": True})


async def test_a_protection_rule_has_production_judged(served, judged):
    """Before the deploy, so whatever release answers; of the address that GitHub names, only the
    number of the run is taken."""
    answer = await delivered(served, "deployment_protection_rule", protection_rule())
    assert answer == (202, {"judging": "shop"})
    elsewhere = "http://169.254.169.254/x/actions/runs/7/deployment_protection_rule?x=1"
    await delivered(
        served, "deployment_protection_rule", protection_rule(deployment_callback_url=elsewhere)
    )
    (deployment, order, key), (other, *_) = judged.rules
    assert deployment == Deployment("Codertocat/Hello-World", 4493385896, "production", 12345678)
    assert other == Deployment("Codertocat/Hello-World", 7, "production", 12345678)
    assert (order.site, order.release, order.url) == ("shop", "", "")
    assert len(key) == 64
    assert judged.deploys == []


async def test_a_rule_that_nobody_could_answer_is_refused(served, judged):
    """With the words, rather than taken and then silent."""
    judged.why_not = "set gate.github.app and gate.github.key"
    answer = await delivered(served, "deployment_protection_rule", protection_rule())
    assert answer == (422, {"error": "set gate.github.app and gate.github.key"})
    assert judged.rules == []


def signatures():
    body = json.dumps(deployment_status()).encode()
    right = hmac.new(SECRETS["github"].encode(), body, hashlib.sha256).hexdigest()
    sha1 = hmac.new(SECRETS["github"].encode(), body, hashlib.sha1).hexdigest()
    unkeyed = hmac.new(b"", body, hashlib.sha256).hexdigest()
    return {
        "none": {},
        "empty": {"X-Hub-Signature-256": ""},
        "without its algorithm": {"X-Hub-Signature-256": right},
        "of another body": {"X-Hub-Signature-256": f"sha256={'0' * 64}"},
        "of no secret": {"X-Hub-Signature-256": f"sha256={unkeyed}"},
        "the older kind": {"X-Hub-Signature": f"sha1={sha1}"},
        "cut": {"X-Hub-Signature-256": f"sha256={right[:-1]}"},
        "the secret itself": {"Authorization": f"Bearer {SECRETS['github']}"},
    }


@pytest.mark.parametrize("kind", signatures())
async def test_what_isnt_signed_is_refused(served, judged, kind):
    """401, and nothing of it is looked at."""
    headers = {"Content-Type": "application/json", "X-GitHub-Event": "deployment_status"}
    sent = {"headers": headers | signatures()[kind]}
    status, told = await delivered(served, "deployment_status", deployment_status(), **sent)
    assert status == 401
    assert "gate.github.secret" in told["error"]
    assert (judged.orders, judged.deploys) == ([], [])


async def test_a_body_that_was_changed_on_the_way_is_refused(served, judged):
    """The raw body is what is signed: also one that means the same."""
    sent = delivery("deployment_status", deployment_status())
    sent["data"] = sent["data"].replace(b": ", b":")
    async with served.session.post(PATH, **sent) as response:
        assert response.status == 401
    assert judged.orders == []


def with_(payload, *path, value):
    *above, last = path
    table = payload = json.loads(json.dumps(payload))
    for name in above:
        table = table[name]
    table[last] = value
    return payload


SENSELESS = {
    "no object": [],
    "nothing": {},
    "a site's name": deployment_status(environment="shop"),
    "a list for a text": with_(deployment_status(), "deployment", "environment", value=["x"]),
    "an object for a state": with_(deployment_status(), "deployment_status", "state", value={}),
    "no release": with_(deployment_status(), "deployment", "sha", value=None),
    "a release of two lines": with_(deployment_status(), "deployment", "sha", value="1\n2"),
    "half a character": with_(deployment_status(), "deployment", "sha", value="\ud800"),
    "a path for a repository": with_(
        deployment_status(), "repository", "full_name", value="../../x:production"
    ),
    "a deployment that is a text": deployment_status() | {"deployment": "x"},
}


@pytest.mark.parametrize("kind", SENSELESS)
async def test_who_has_the_secret_can_send_nonsense_in_vain(served, judged, kind):
    """It is refused or ignored, with few words, and nothing is judged."""
    status, told = await delivered(served, "deployment_status", SENSELESS[kind])
    assert status in {202, 400, 422}
    assert "gate" not in told
    assert len(json.dumps(told)) < 400
    assert judged.orders == []


@pytest.mark.parametrize(
    "said",
    [
        {"installation": {"id": "1"}},
        {"installation": {"id": True}},
        {"installation": {"id": -1}},
        {"installation": None},
        {"deployment_callback_url": "https://api.github.com/repos/a/b/actions/runs/x"},
        {"deployment_callback_url": f"/actions/runs/{'9' * 19}/deployment_protection_rule"},
        {"deployment_callback_url": {"a": 1}},
    ],
)
async def test_a_rule_that_names_nothing_is_refused(served, judged, said):
    """Neither run nor installation can be anything but a number."""
    payload = protection_rule(**said)
    status, _ = await delivered(served, "deployment_protection_rule", payload)
    assert status == 422
    assert judged.rules == []


async def test_a_giant_body_and_one_that_is_nested_too_deep_are_refused(served, judged):
    """Whoever signed them."""
    for body, status in ((b" " * (1 << 20) + b"{}", 413), (b"[" * 500_000, 400)):
        signature = hmac.new(SECRETS["github"].encode(), body, hashlib.sha256).hexdigest()
        sent = delivery("deployment_status", {})
        sent["data"] = BytesIO(body)
        sent["headers"]["X-Hub-Signature-256"] = f"sha256={signature}"
        async with served.session.post(PATH, **sent) as response:
            assert response.status == status
    assert judged.orders == []


async def test_a_webhook_set_up_as_a_form_is_told(served):
    """GitHub offers two content types, and shows what is answered."""
    sent = delivery("deployment_status", deployment_status())
    sent["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
    async with served.session.post(PATH, **sent) as response:
        assert response.status == 415
        assert "application/json" in (await response.json())["error"]


async def test_a_gate_that_nobody_can_ask_for_is_told(served, judged):
    """So the delivery is red at GitHub; that the release is out is noted all the same."""
    judged.refuses = Refused(409, "every journey of the site is paused")
    answer = await delivered(served, "deployment_status", deployment_status())
    assert answer == (409, {"error": "every journey of the site is paused"})
    assert judged.deploys == [("shop", SHA, "github")]


async def test_a_deploy_that_cant_be_noted_is_judged_all_the_same(served, judged):
    """And noted once it is told again."""
    judged.unwritten = True
    assert (await delivered(served, "deployment_status", deployment_status()))[0] == 202
    assert len(judged.orders) == 1
    judged.unwritten = False
    await delivered(served, "deployment_status", deployment_status())
    assert (len(judged.orders), len(judged.deploys)) == (1, 1)
