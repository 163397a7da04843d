"""Flagger: each of its hooks gets yes or no, and a no with a reason in one line."""

from __future__ import annotations

import pytest

from agent.server.control import Refused
from tests.support.deploy_tools import SECRETS, canary_event, canary_hook

PATH = "/api/v1/gates/flagger"
ON_CANARY = ["pre-rollout", "rollout", "confirm-traffic-increase", "confirm-promotion"]
ON_PRODUCTION = ["confirm-rollout", "post-rollout"]


async def hooked(served, hook, payload=None, **said):
    body = canary_hook(**said) if payload is None else payload
    async with served.session.post(f"{PATH}/{hook}", json=body) as response:
        text = await response.text()
        assert text.count("\n") == 1
        assert text.endswith("\n")
        return response.status, text.strip()


VERDICTS = {
    "pass": (200, "pass: 5 of 5 walks passed"),
    "fail": (409, "fail: 5 of 5 walks passed"),
    "error": (409, "no verdict: 5 of 5 walks passed"),
    "pending": (409, "no verdict yet: the release is still being walked"),
}


@pytest.mark.parametrize("hook", ON_CANARY + ON_PRODUCTION)
async def test_a_hook_is_answered_by_the_verdict(served, judged, hook):
    """Only a pass is a yes. A no is 409: at 429 and from 500 on Flagger asks again and drops what
    is said. No verdict is a no that says so."""
    for verdict, answer in VERDICTS.items():
        judged.verdict = verdict
        assert await hooked(served, hook, checksum=verdict) == answer


@pytest.mark.parametrize(
    ("verdict", "status"), [("fail", 200), ("pass", 409), ("error", 409), ("pending", 409)]
)
async def test_a_rollback_hook_says_yes_where_the_release_failed(served, judged, verdict, status):
    """There a yes rolls back; what nobody measured doesn't."""
    judged.verdict = verdict
    assert (await hooked(served, "rollback"))[0] == status


async def test_the_same_checksum_gets_the_same_gate(served, judged):
    """Flagger asks at each interval, and by several hooks of the canary, which is one question;
    another checksum or another canary is another one, and so is production."""
    for hook in [*ON_CANARY, *ON_CANARY, "rollback"]:
        await hooked(served, hook)
    assert len(judged.orders) == 1
    assert judged.deploys == [("shop", "1.4.3", "flagger")]
    await hooked(served, "rollout", checksum="6b8bd4d9f8")
    await hooked(served, "rollout", namespace="prod")
    for _ in range(2):
        await hooked(served, "confirm-rollout", phase="Initialized")
        await hooked(served, "post-rollout", phase="Failed")
    assert len(judged.orders) == 5


async def test_hooks_on_the_canary_walk_the_canary(served, judged):
    """Before and after it, production is what is walked, at its own address; before it and after a
    roll-back the new release isn't what has to answer."""
    for hook in ON_CANARY:
        await hooked(served, hook, checksum=hook)
    assert len(judged.orders) == len(ON_CANARY)
    for order in judged.orders:
        assert (order.url, order.headers) == (
            "https://canary.shop.example.com",
            {"x-canary": "always"},
        )
        assert order.release == "1.4.3"
    judged.orders.clear()
    await hooked(served, "confirm-rollout", phase="Initialized")
    await hooked(served, "post-rollout", phase="Failed")
    await hooked(served, "post-rollout", phase="Succeeded", checksum="6b8bd4d9f8")
    assert [(order.url, order.release) for order in judged.orders] == [
        ("", ""),
        ("", ""),
        ("", "1.4.3"),
    ]


async def test_it_is_answered_before_flagger_gives_up(served, judged):
    """That is after 10 s; the gate is asked for less, so that one question is enough."""
    await hooked(served, "rollout")
    assert all(8 < seconds <= 9 for seconds in judged.waited)
    assert judged.orders[0].within == 8
    await hooked(served, "rollout", metadata={"within": "20s", "journeys": "buy, search"})
    assert judged.orders[1].within == 20
    assert judged.orders[1].journeys == ("buy", "search")


async def test_an_event_is_noted_and_nothing_is_judged(served, judged):
    """The release is out from the canary's beginning on, and that is noted once."""
    for phase in ("Initialized", "Progressing", "Progressing", "Promoting", "Succeeded"):
        assert await hooked(served, "event", canary_event(phase)) == (200, "noted")
    assert judged.deploys == [("shop", "1.4.3", "flagger")]
    assert judged.orders == []


async def test_a_reason_is_one_short_line(served, judged):
    """It goes into a Kubernetes event, whatever a page wrote into it."""
    judged.verdict = "fail"
    judged.reasons = ["step 'Pay':\n\x1b[31mno" + "o" * 5000]
    status, text = await hooked(served, "rollout")
    assert status == 409
    assert text.startswith(r"fail: step 'Pay': \x1b[31mnoo")
    assert len(text) == 300


@pytest.mark.parametrize("token", ["", "wrong-0123456789abcdef", None, 7, ["x"], SECRETS["github"]])
async def test_only_its_own_token_lets_it_in(served, judged, token):
    """It stands in the metadata, where alone Flagger can send one."""
    status, text = await hooked(served, "rollout", metadata={"token": token})
    assert status in {401, 422}
    assert not any(secret in text for secret in SECRETS.values())
    assert judged.orders == []


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ([], 400),
        ({}, 401),
        ({"metadata": "x"}, 401),
        (canary_hook(metadata={"site": ["shop"]}), 422),
        (canary_hook(metadata={"site": ""}), 422),
        (canary_hook(checksum=""), 422),
        (canary_hook(name={"a": "b"}), 422),
        (canary_hook(metadata={"within": "soon"}), 422),
        (canary_hook(metadata={"release": "1\n2"}), 422),
        (canary_hook(metadata={"journeys": "a" * 300}), 422),
        (canary_hook(metadata={"filler": "x" * 70_000}), 413),
    ],
)
async def test_what_makes_no_sense_is_a_no(served, judged, payload, status):
    """With what is wrong in one line."""
    assert (await hooked(served, "rollout", payload))[0] == status
    assert judged.orders == []


async def test_what_nobody_can_be_asked_for_is_a_no(served, judged):
    """An agent that ends as well: from 500 on the reason would be lost."""
    for status in (404, 409, 422, 503):
        judged.refuses = Refused(status, "not as things are")
        assert await hooked(served, "rollout") == (409, "no verdict: not as things are")
