"""Deploy tools ask a running agent, and who rolls back is called by it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.support.daemon import NEVER, Daemon, Home
from tests.support.deploy_tools import (
    SECRETS,
    binary,
    canary_hook,
    delivery,
    deployment_status,
    measurement,
    service_event,
)
from tests.support.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLS = 'site="shop", owner="tests", browser=False, timeout="5s"'
GOOD = 'await run.api.get("/")'
BROKEN = f'{GOOD}\nassert False, "no cart"'
HOOK = "hook-0123456789abcdef"
RELEASE = "1.4.2"
"""As the site says of itself."""
ENOUGH = "60s"
"""For a verdict on a machine that is busy with other things."""


async def post(home: Home, tool: str, **sent: Any) -> tuple[int, str]:
    """Ask as a tool does; return status and body."""
    address = f"http://127.0.0.1:{home.port}/api/v1/gates/{tool}"
    async with aiohttp.ClientSession() as session, session.post(address, **sent) as response:
        return response.status, await response.text()


async def verdict(home: Home, tool: str, **sent: Any) -> tuple[int, str]:
    """Ask as a tool does, again while there is no verdict yet."""
    for _ in range(9):
        status, body = await post(home, tool, **sent)
        if status != 503 and "no verdict yet" not in body:
            break
    return status, body


def bearer(tool: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {SECRETS[tool]}"}


def configured(home: Home, receiver: Receiver) -> None:
    """Have every tool let in, and everybody told."""
    home.configure(
        schedule={"every": NEVER, "confirm_after": "100ms"},
        gate__argo_rollouts={"token": SECRETS["argo_rollouts"]},
        gate__flagger={"token": SECRETS["flagger"]},
        gate__github={"secret": SECRETS["github"]},
        gate__github__deploys={'"Codertocat/Hello-World:production"': "shop"},
        gate__cdevents={"token": SECRETS["cdevents"], "sink": f"{receiver.url}/sink"},
        gate__cdevents__deploys={'"test123:mySubject123"': "shop"},
        gate__hook={"url": f"{receiver.url}/roll-back", "secret": HOOK},
    )


async def test_tools_get_verdicts_and_a_failed_one_is_rolled_back(home):
    """A release that works passes for Argo Rollouts and Flagger. One that doesn't fails, and the
    hook is called with the gate, signed, and the gate tells that it was. Deploys are noted, and no
    secret stands in any output of the agent's."""
    home.journey("buys", GOOD, CALLS)
    async with Receiver() as receiver:
        configured(home, receiver)
        async with Daemon(home) as daemon:
            await daemon.started()
            asked: dict[str, Any] = {
                "json": measurement(within=ENOUGH, release=RELEASE),
                "headers": bearer("argo_rollouts"),
            }
            status, body = await verdict(home, "argo-rollouts", **asked)
            told = json.loads(body)
            assert (status, told["verdict"], told["hook"]) == (200, "pass", None), told["reasons"]
            again = json.loads((await verdict(home, "argo-rollouts", **asked))[1])
            assert again["id"] == told["id"]
            hooked = canary_hook(metadata={"within": ENOUGH, "release": RELEASE})
            assert (await verdict(home, "flagger/rollout", json=hooked))[0] == 200

            home.journey("buys", BROKEN, CALLS)
            assert (await home.footfall("reload")).code == 0
            hooked["checksum"] = "6b8bd4d9f8"
            status, body = await verdict(home, "flagger/rollout", json=hooked)
            assert (status, body[:6]) == (409, "fail: "), body
            (called,) = await receiver.requests(1, "/roll-back")
            signature = hmac.new(HOOK.encode(), called.body, hashlib.sha256).hexdigest()
            assert called.headers["X-Hub-Signature-256"] == f"sha256={signature}"
            gate = json.loads(called.body)["gate"]
            assert (gate["verdict"], gate["source"]) == ("fail", "flagger")
            await daemon.wait_for("rollback_hook.sent", lambda one: one["gate"] == gate["id"])
            _, kept = await daemon.get(f"/api/v1/gates/{gate['id']}")
            assert (kept["hook"]["host"], kept["hook"]["tries"]) == ("127.0.0.1", 1)

            data, headers = binary(service_event())
            event = {"data": data, "headers": headers | bearer("cdevents")}
            for tool, sent in {
                "github": delivery("deployment_status", deployment_status()),
                "cdevents": event,
            }.items():
                status, body = await post(home, tool, **sent)
                assert (status, "address" in json.loads(body)) == (202, True), body
                assert await post(home, tool, **sent) == (202, body)
            assert (await post(home, "github", json={}))[0] == 401
            events = await receiver.requests(3, "/sink")
            found = [json.loads(one.body)["data"]["subject"]["content"] for one in events[:3]]
            assert [one["outcome"] for one in found] == ["success", "success", "failure"]
            _, deploys = await daemon.get("/api/v1/deploys")
            sources = {one["source"] for one in deploys["deploys"]}
            assert sources >= {"argo-rollouts", "github", "cdevents"}
        said = json.dumps(daemon.records) + "\n".join(daemon.noise)
        assert not [secret for secret in (*SECRETS.values(), HOOK) if secret in said]


async def test_a_hook_that_a_kill_cut_is_called_by_the_next_start(home):
    """Whoever is killed between a verdict and its roll-back has not told; the next one does."""
    home.journey("buys", BROKEN, CALLS)
    async with Receiver() as receiver:
        receiver.holds = True
        configured(home, receiver)
        async with Daemon(home) as daemon:
            await daemon.started()
            sent = {
                "json": measurement(within=ENOUGH, release=RELEASE),
                "headers": bearer("argo_rollouts"),
            }
            assert (
                json.loads((await verdict(home, "argo-rollouts", **sent))[1])["verdict"] == "fail"
            )
            (first,) = await receiver.requests(1, "/roll-back")
        receiver.holds = False
        async with Daemon(home) as daemon:
            _, second, *_ = await receiver.requests(2, "/roll-back")
            assert second.body == first.body
            sent_id = second.headers["X-Footfall-Delivery"]
            await daemon.wait_for("rollback_hook.sent", lambda one: one["gate"] == sent_id)
