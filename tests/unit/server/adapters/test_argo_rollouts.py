"""Argo Rollouts: its web metric gets a verdict it can act on, in its time, and asks again else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.server.control import Refused
from tests.support.deploy_tools import SECRETS, measurement

PATH = "/api/v1/gates/argo-rollouts"
SHOWN = {"Authorization": f"Bearer {SECRETS['argo_rollouts']}"}


async def measured(served, shown=SHOWN, **said):
    async with served.session.post(PATH, json=measurement(**said), headers=shown) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("verdict", ["pass", "fail", "error"])
async def test_a_verdict_is_an_answer(served, judged, verdict):
    """200 with ``$.verdict``, which both conditions of the template compare; ``error`` is neither,
    so that Argo Rollouts pauses and neither promotes nor rolls back."""
    judged.verdict = verdict
    status, told = await measured(served)
    assert (status, told["verdict"]) == (200, verdict)
    (order,) = judged.orders
    assert (order.site, order.release, order.within) == ("shop", "1.4.3", 10)
    assert order.source == "argo-rollouts"
    assert judged.deploys == [("shop", "1.4.3", "argo-rollouts")]


async def test_the_canary_is_walked_where_the_configuration_says(served, judged):
    """An address or a header in what is sent is refused, whoever has the token."""
    await measured(served)
    (order,) = judged.orders
    assert order.url == "https://canary.shop.example.com"
    assert order.headers == {"x-canary": "always"}
    for word in ("url", "headers", "baseline"):
        status, told = await measured(served, **{word: "http://169.254.169.254"})
        assert status == 400
        assert "unknown" in told["error"]
    assert len(judged.orders) == 1


async def test_no_verdict_yet_is_told_in_time_and_the_same_gate_answers_again(served, judged):
    """503 before Argo gives up after 10 s, which has it ask again; that is no second gate."""
    judged.verdict = "pending"
    for _ in range(4):
        status, told = await measured(served)
        assert (status, told["verdict"]) == (503, "pending")
    assert all(8 < seconds <= 9 for seconds in judged.waited)
    judged.verdict = "pass"
    assert (await measured(served))[1]["verdict"] == "pass"
    assert len(judged.orders) == 1


async def test_another_measurement_is_another_gate(served, judged):
    """The next step of a rollout, or the next rollout, is not answered with the last one's."""
    for said in ({}, {"measurement": "shop/web 7-6c54544bf9 half"}, {"release": "1.4.4"}):
        await measured(served, **said)
    assert len(judged.orders) == 3
    assert len(judged.deploys) == 2, "one a release"


async def test_an_old_verdict_is_no_news(served, judged):
    """What was measured ten minutes ago says nothing of now: somebody retries the rollout."""
    judged.verdict = "fail"
    await measured(served)
    (gate,) = judged.gates
    judged.decide(gate, datetime.now(UTC) - timedelta(minutes=9))
    await measured(served)
    assert len(judged.orders) == 1
    judged.decide(gate, datetime.now(UTC) - timedelta(minutes=11))
    judged.verdict = "pass"
    assert (await measured(served))[1]["verdict"] == "pass"
    assert len(judged.orders) == 2


async def test_what_nobody_can_be_asked_for_is_no_verdict(served, judged):
    """A site that isn't there pauses the rollout, with the words; as an error, five of which roll
    back, it would not be the release's fault. Only an agent that ends is asked again."""
    judged.refuses = Refused(404, "no site is called 'shop'")
    told = {"verdict": "error", "reasons": ["no site is called 'shop'"]}
    assert await measured(served) == (200, told)
    judged.refuses = Refused(503, "the agent is ending")
    assert await measured(served) == (503, {"error": "the agent is ending"})
    judged.refuses = None
    status, told = await measured(served, within="2m")
    assert (status, told["verdict"]) == (200, "error")
    assert "80s or less" in told["reasons"][0]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong-0123456789abcdef"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {SECRETS['argo_rollouts']}"},
        {"Authorization": f"Bearer {SECRETS['flagger']}"},
    ],
)
async def test_only_its_own_token_lets_it_in(served, judged, headers):
    """Nor does the token of another tool."""
    status, told = await measured(served, headers)
    assert status == 401
    assert "gate.argo_rollouts.token" in told["error"]
    assert not any(secret in told["error"] for secret in SECRETS.values())
    assert judged.orders == []


@pytest.mark.parametrize(
    "said",
    [
        {"site": ["shop"]},
        {"site": ""},
        {"release": {"a": 1}},
        {"release": "1.4.3\n1.4.4"},
        {"release": "x" * 201},
        {"measurement": 7},
        {"journeys": "buy"},
        {"within": "10"},
    ],
)
async def test_what_makes_no_sense_is_refused(served, judged, said):
    """With the key at fault; nothing is judged."""
    status, told = await measured(served, **said)
    assert status == 400
    assert next(iter(said)) in told["error"]
    assert judged.orders == []
