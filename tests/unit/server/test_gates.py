"""Asking for a verdict over HTTP, and waiting for it."""

from __future__ import annotations

import pytest

from agent.core.gate import GateOrder
from agent.server.app import MoreRoutes
from agent.server.control import Refused
from tests.support.api import PERSON, STATE_TOKEN, Served
from tests.support.asked_gates import AskedGates, gate_document

GATES = "/api/v1/gates"
SHOWN = {"Authorization": f"Bearer {STATE_TOKEN}"}


@pytest.fixture
def gates():
    return AskedGates()


@pytest.fixture
async def served(tmp_path, gates):
    async with Served(tmp_path, journeys=[], more=MoreRoutes(gates)) as running:
        yield running


async def test_a_gate_is_asked_for(served, gates):
    """202 and where it is found; what was not said is as documented, and nothing is lost."""
    async with served.session.post(GATES, json={"site": "shop"}, headers=SHOWN) as response:
        told = await response.json()
        assert response.status == 202
        assert response.headers["Location"] == told["address"] == f"{GATES}/{told['id']}"
    asked = {
        "site": "shop",
        "journeys": ["b", "a"],
        "release": "1.4.3",
        "url": "https://pr-7.example.com",
        "headers": {"X-Canary": "yes"},
        "within": "1m",
        "baseline": "7d",
    }
    key = {"Idempotency-Key": "deploy/7"}
    async with served.session.post(GATES, json=asked, headers=SHOWN | key) as response:
        assert response.status == 202
        assert "yes" not in await response.text()
    assert gates.asked == [
        (GateOrder("shop", within=10.0, baseline=86_400.0), ""),
        (
            GateOrder(
                "shop",
                ("b", "a"),
                "1.4.3",
                "https://pr-7.example.com",
                {"X-Canary": "yes"},
                60.0,
                604_800.0,
            ),
            "deploy/7",
        ),
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "site"),
        ({"site": "shop", "within": "soon"}, "within"),
        ({"site": "shop", "within": 10}, "within"),
        ({"site": "shop", "headers": {"X-Canary": 1}}, "headers"),
        ({"site": "shop", "headers": {f"X-{n}": "1" for n in range(11)}}, "headers"),
        ({"site": "shop", "release": "1\r\n2"}, "release"),
        ({"site": "shop", "source": "argo"}, "source"),
        ({"site": "shop", "url": ""}, "url"),
    ],
)
async def test_what_makes_no_sense_is_refused(served, gates, body, named):
    """With the key that is wrong, and nothing is asked of the agent."""
    async with served.session.post(GATES, json=body, headers=SHOWN) as response:
        assert response.status == 400
        assert named in (await response.json())["error"]
    assert gates.asked == []


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256])
async def test_a_key_is_a_word(served, gates, key):
    """Else two who mean the same would not be told of the same."""
    asking = served.session.post(
        GATES, json={"site": "shop"}, headers=SHOWN | {"Idempotency-Key": key}
    )
    async with asking as response:
        assert response.status == 400
    assert gates.asked == []


async def test_a_refusal_is_told(served, gates):
    """With its status and its words."""
    gates.refuses = Refused(422, "header 'Host' is none that is allowed")
    async with served.session.post(GATES, json={"site": "shop"}, headers=SHOWN) as response:
        assert (response.status, await response.json()) == (
            422,
            {"error": "header 'Host' is none that is allowed"},
        )


async def test_waiting_for_a_verdict(served, gates):
    """As long as was asked for; without a word, not at all."""
    gates.kept["g1"] = gate_document(GateOrder("shop"))
    for query, waited in (("", 0.0), ("?wait=9s", 9.0), ("?wait=1m", 60.0), ("?wait=0s", 0.0)):
        async with served.session.get(f"{GATES}/g1{query}") as response:
            assert (await response.json())["verdict"] == "pending"
        assert gates.waited.pop() == ("g1", waited)
    for query in ("?wait=61s", "?wait=9", "?wait=1s&wait=2s", "?until=9s", "?wait="):
        async with served.session.get(f"{GATES}/g1{query}") as response:
            assert response.status == 400, query
    assert gates.waited == []
    async with served.session.get(f"{GATES}/g2") as response:
        assert response.status == 404


async def test_nobody_asks_without_a_token(served, gates):
    """Neither for a gate nor, where reading takes one, about it."""
    async with served.session.post(
        GATES, json={"site": "shop"}, headers={"Authorization": "Bearer no"}
    ) as response:
        assert response.status == 401
    assert gates.asked == []


async def test_a_verdict_has_a_page(served, gates):
    """It shows what is awaited, and then what came of it and why; markup stays text."""
    pending = gate_document(GateOrder("shop", ("buy",), "1.4.3<b>"))
    gates.kept[pending["id"]] = pending
    ended = {"ended_at": pending["asked_at"], "seconds": 4.2, "verdict": "fail"}

    async def page() -> str:
        async with served.session.get(f"/gates/{pending['id']}", headers=PERSON) as response:
            assert (response.status, response.content_type) == (200, "text/html")
            return await response.text()

    text = await page()
    assert "data-soon" in text
    assert "Release 1.4.3&lt;b&gt;" in text
    assert "Roll it back" not in text
    gates.kept[pending["id"]] = {**pending, **ended, "reasons": ["buy failed in 2 of 2 walks: 500"]}
    text = await page()
    assert "data-soon" not in text
    assert "Roll it back" in text
    assert "buy failed in 2 of 2 walks: 500" in text
    assert f'href="{pending["address"]}"' in text
