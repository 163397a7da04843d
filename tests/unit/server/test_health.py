"""The health routes: 200 where all is well, 503 and the reason where it isn't."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from starlette.applications import Starlette

from agent.canary.serve import canary
from agent.server import health
from agent.server.health import Check, health_routes
from agent.server.serving import listen, port_of, serving

TICKED = Check(ok=True, detail="ticked")


@asynccontextmanager
async def served(alive=TICKED, **ready):
    async def checks():
        return ready

    socket = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{port_of(socket)}"
    async with (
        serving(Starlette(routes=health_routes(lambda: alive, checks)), socket),
        aiohttp.ClientSession(address) as session,
    ):
        yield session


async def get(session, path):
    async with session.get(path) as response:
        return response.status, await response.json(), response.headers


async def test_alive_while_the_schedule_ticks():
    """/healthz asks the loop and the schedule, and nothing of what /readyz asks."""
    async with served(workers=Check(ok=False, detail="no browser")) as session:
        status, body, headers = await get(session, "/healthz")
    assert (status, body["status"]) == (200, "ok")
    assert body["checks"] == {"schedule": {"ok": True, "detail": "ticked"}}
    assert headers["cache-control"] == "no-store"


async def test_not_alive_once_the_schedule_stands_still():
    """503 with the reason, so that a restart is tried."""
    stuck = Check(ok=False, detail="ticked 9.0 s ago")
    async with served(stuck) as session:
        status, body, _ = await get(session, "/healthz")
    assert (status, body["status"]) == (503, "failing")
    assert body["checks"]["schedule"]["detail"] == "ticked 9.0 s ago"


@pytest.mark.parametrize("failing", ["workers", "journeys", None])
async def test_ready_only_if_every_check_is(failing):
    """One failing check is enough for 503; each is told with its reason."""
    checks = {name: Check(name != failing, f"of {name}") for name in ("workers", "journeys")}
    async with served(**checks) as session:
        status, body, _ = await get(session, "/readyz")
    assert status == (503 if failing else 200)
    assert body["checks"] == {
        name: {"ok": name != failing, "detail": f"of {name}"} for name in checks
    }


async def test_many_who_ask_at_a_time_cost_no_more_than_one(monkeypatch):
    """Anybody may ask for health: those that come while it is looked up get the same answer."""
    asked, go = [], asyncio.Event()

    async def ready():
        asked.append(1)
        await go.wait()
        return {"workers": TICKED}

    socket = listen("127.0.0.1", 0)
    app = Starlette(routes=health_routes(lambda: TICKED, ready))
    address = f"http://127.0.0.1:{port_of(socket)}"
    async with serving(app, socket), aiohttp.ClientSession(address) as session:
        waiting = [asyncio.create_task(get(session, "/readyz")) for _ in range(10)]
        # The first has been asked by then, and with it the others: on a connection each.
        await asyncio.gather(*(get(session, "/healthz") for _ in range(10)))
        monkeypatch.setattr(health, "_HOLDS", 60.0)
        go.set()
        assert {status for status, _, _ in await asyncio.gather(*waiting)} == {200}
        await get(session, "/readyz")
        assert len(asked) == 1  # it was only just looked up
        monkeypatch.setattr(health, "_HOLDS", 0.0)
        await get(session, "/readyz")
    assert len(asked) == 2


async def test_a_look_that_fails_or_takes_too_long_is_an_answer(monkeypatch):
    """503 within the time that probes wait, for all who ask; the next look is a new one."""
    monkeypatch.setattr(health, "_WITHIN", 0.2)
    looks = iter([asyncio.Event().wait, asyncio.Event().wait])

    async def ready():
        await next(looks)()
        return {}

    socket = listen("127.0.0.1", 0)
    app = Starlette(routes=health_routes(lambda: TICKED, ready))
    address = f"http://127.0.0.1:{port_of(socket)}"
    async with serving(app, socket), aiohttp.ClientSession(address) as session:
        both = await asyncio.gather(get(session, "/readyz"), get(session, "/readyz"))
        for status, body, _ in both:
            assert (status, body["status"]) == (503, "failing")
            assert "within" in body["checks"]["agent"]["detail"]
        assert next(looks)  # asked once


async def test_what_only_degrades_is_told_and_stays_200():
    """Out of its service, the agent's page could tell nobody; what fails besides wins."""
    lost = Check(ok=True, detail="telemetry is being lost", degraded=True)
    async with served(spool=lost, workers=TICKED) as session:
        status, body, _ = await get(session, "/readyz")
    assert (status, body["status"]) == (200, "degraded")
    words = "telemetry is being lost"
    assert body["checks"]["spool"] == {"ok": True, "detail": words, "degraded": True}
    async with served(spool=lost, workers=Check(ok=False)) as session:
        status, body, _ = await get(session, "/readyz")
    assert (status, body["status"]) == (503, "failing")


async def test_nothing_else_is_served():
    """A path that isn't there is 404, and health is read-only."""
    async with served() as session:
        async with session.get("/") as response:
            assert response.status == 404
        async with session.post("/healthz") as response:
            assert response.status == 405


async def test_the_canary_is_one_small_page_that_no_cache_keeps():
    """It answers at its address, fresh each time, and is gone with its block."""
    async with (
        canary() as address,
        aiohttp.ClientSession() as session,
        session.get(address) as response,
    ):
        assert response.status == 200
        assert response.content_type == "text/html"
        assert response.headers["cache-control"] == "no-store"
        assert "footfall" in (await response.text()).lower()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(address)
