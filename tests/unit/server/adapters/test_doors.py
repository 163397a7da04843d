"""Who gets in: the tool with its secret, however often others were wrong, and nobody else."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.core.clock import SystemClock
from agent.server.adapters.adapter_routes import adapter_routes
from agent.server.adapters.adapter_settings import AdapterSettings
from agent.server.app import MoreRoutes
from tests.support.api import STATE_TOKEN, Served
from tests.support.asked_gates import AskedGates
from tests.support.deploy_tools import SECRETS, SETTINGS, canary_hook, measurement

ROUTES = {
    "argo-rollouts": "gate.argo_rollouts.token",
    "flagger/rollout": "gate.flagger.token",
    "flagger/event": "gate.flagger.token",
    "github": "gate.github.secret",
    "cdevents": "gate.cdevents.token",
}
ARGO = "/api/v1/gates/argo-rollouts"
SHOWN = {"Authorization": f"Bearer {SECRETS['argo_rollouts']}"}


@pytest.mark.parametrize("route", ROUTES)
async def test_a_tool_that_isnt_set_up_finds_no_way_in(tmp_path, judged, route):
    """404, with the key to set; an empty secret opens nothing, nor does the agent's own token."""
    routes = adapter_routes(AdapterSettings, judged, judged, judged, SystemClock())
    async with Served(tmp_path, more=MoreRoutes(AskedGates(), adapters=routes)) as served:
        for shown in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {STATE_TOKEN}"}):
            post = served.session.post(f"/api/v1/gates/{route}", json={}, headers=shown)
            async with post as response:
                assert response.status == 404
                assert f"set {ROUTES[route]}" in await response.text()
    assert judged.orders == []


@pytest.mark.parametrize("route", ROUTES)
async def test_no_other_method_reaches_an_adapter(served, judged, route):
    """What is looked at by its address alone changes nothing."""
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        async with served.session.request(
            method, f"/api/v1/gates/{route}", headers=SHOWN
        ) as response:
            assert response.status in {401, 404, 405}
    assert judged.orders == []


async def test_the_tools_secret_opens_nothing_else(served):
    """Whoever has it can't pause, reload, or have a journey walked."""
    for path in ("reload", "pause", "resume", "journeys/buy/runs"):
        async with served.session.post(f"/api/v1/{path}", headers=SHOWN) as response:
            assert response.status == 401
    assert served.control.verbs == []


async def test_wrong_secrets_are_limited_and_the_right_one_never_is(served, judged):
    """429 after ten from an address, with the time to wait, for all tools together; behind a proxy
    the tool has that address too, so it is let in all the same."""
    wrong = {"Authorization": "Bearer wrong-0123456789abcdef"}
    statuses = []
    for number in range(14):
        path = ARGO if number % 2 else "/api/v1/gates/cdevents"
        async with served.session.post(path, json=measurement(), headers=wrong) as response:
            statuses.append(response.status)
            retry = response.headers.get("Retry-After")
    assert statuses == [401] * 10 + [429] * 4
    assert 0 < int(retry) <= 30
    # Flagger asks again at 429 and drops the words.
    body = canary_hook(metadata={"token": "wrong-0123456789abcdef"})
    async with served.session.post("/api/v1/gates/flagger/rollout", json=body) as response:
        assert response.status == 409
    assert judged.orders == []
    async with served.session.post(ARGO, json=measurement(), headers=SHOWN) as response:
        assert response.status == 200


async def asked_raw(served, head, body=b""):
    reader, writer = await served.connect()
    writer.write(head.encode() + b"\r\n\r\n" + body)
    async with asyncio.timeout(5):
        answer = await reader.readline()
    writer.close()
    return int(answer[9:12])


async def test_headers_that_say_two_things_are_refused(served, judged):
    """Twice the same, two lengths, a length and chunks: a proxy may have read the other one."""
    body = json.dumps(measurement()).encode()
    head = f"POST {ARGO} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    right = f"Authorization: {SHOWN['Authorization']}"
    length = f"Content-Length: {len(body)}"
    wrong = {
        f"{right}\r\nAuthorization: Bearer other\r\n{length}": 401,
        f"Authorization: Bearer other\r\n{right}\r\n{length}": 401,
        f"{right}, Bearer other\r\n{length}": 401,
        f"{right}\r\n{length}\r\nContent-Length: 2": 400,
        f"{right}\r\nX-Site: a\r\n b\r\nContent-Length: x": 400,
        f"{right}\r\n{length}\r\nContent-Encoding: gzip": 415,
        f"{right}\r\n{length}\r\nContent-Type: text/plain": 415,
    }
    for more, status in wrong.items():
        assert await asked_raw(served, head + more, body) == status, more
    assert judged.orders == []
    assert await asked_raw(served, f"{head}{right}\r\n{length}", body) == 200


async def test_another_spelling_of_the_address_is_no_way_around(served, judged):
    """Only the routes themselves look at secrets of their own; whatever else needs the agent's."""
    for path in (
        "//api/v1/gates/argo-rollouts",
        "/api/v1/gates/argo-rollouts/",
        "/api/v1/gates/flagger",
        "/api/v1/gates/flagger/rollout/",
        "/api/v1/gates/flagger/manual-traffic-control",
        "/api/v1/reload;/api/v1/gates/github",
        "/api/v1/gates/github/../../reload",
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2"
        assert await asked_raw(served, head, b"{}") in {401, 404}
    assert (judged.orders, served.control.verbs) == ([], [])


def test_secrets_are_never_shown():
    """Whoever prints the settings sees none."""
    shown = repr(SETTINGS)
    assert not any(secret in shown for secret in SECRETS.values())
    assert "always" not in shown
