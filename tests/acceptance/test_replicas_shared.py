"""Two agents at one location: whatever is asked, paused or told at one holds at the other."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import AsyncExitStack
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from tests.support.daemon import Daemon, Home
from tests.support.nats_server import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

TOKEN = "the-one-token-of-all-replicas-of-this-location"
CALLS = 'response = await run.api.get("/")\nassert response.ok, response.status'


class Shop:
    """A page that answers with this status."""

    status = 200
    url = ""

    async def answer(self, _: web.Request) -> web.Response:
        return web.Response(status=self.status, text="shop")


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_get("/{path:.*}", shop.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield shop
    await runner.cleanup()


def a_home(folder: Path, shop: Shop, nats: NatsServer) -> Home:
    home = Home(folder, {"shop": shop.url})
    home.environment |= {"FOOTFALL_SERVER__TOKEN": TOKEN}
    home.configure(
        queue={"url": nats.url},
        workers={"count": 1},
        schedule={"every": "3s", "timeout": "1s", "grace": "1s", "confirm_after": "0s"},
    )
    home.journey("look", CALLS, 'site="shop", owner="tests", browser=False')
    return home


async def asked(daemon: Daemon, path: str) -> dict:
    status, body = await daemon.get(path, TOKEN)
    assert status == 200, body
    return body


async def of_look(daemon: Daemon) -> dict:
    (journey,) = (await asked(daemon, "/api/v1/journeys?days=1"))["journeys"]
    return journey


async def until_true(look: Callable[[], Awaitable[bool]], story: Callable[[], str]) -> None:
    """Wait for what is asked over the network, on however busy a machine."""
    try:
        async with asyncio.timeout(60):
            while not await look():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{look.__name__} never holds:\n{story()}") from None


async def test_a_location_is_told_and_held_at_any_of_its_replicas(tmp_path, shop):
    """Fails in a row, the incident and its notes, pauses, uptime, sign-ins: one for both; with the
    server away nothing is half done, and a replica that has died is said to be gone."""
    async with AsyncExitStack() as stack:
        nats = await stack.enter_async_context(NatsServer())
        homes = [a_home(tmp_path / name, shop, nats) for name in ("one", "other")]
        one, other = [await stack.enter_async_context(Daemon(home)) for home in homes]
        pair = (one, other)

        def story() -> str:
            return "\n-----\n".join(daemon.story() for daemon in pair)

        for daemon in pair:
            await daemon.started()
            await daemon.wait_for("replica.heard")

        # Down once, over both, with one incident of one number.
        shop.status = 500

        async def both_down() -> bool:
            return all([(await of_look(daemon))["incident"] == 1 for daemon in pair])

        await until_true(both_down, story)
        assert len([*one.events("journey.down"), *other.events("journey.down")]) == 1
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            address = f"http://127.0.0.1:{homes[1].port}/api/v1/incidents/1/notes"
            note = {"text": "the cache is full", "who": "ada"}
            async with session.post(address, json=note) as response:
                assert response.status == 201, await response.text()

        async def noted() -> bool:
            found = await asked(one, "/api/v1/incidents/1")
            return any(entry["text"] == note["text"] for entry in found["timeline"])

        await until_true(noted, story)
        shop.status = 200

        async def both_up() -> bool:
            return all([(await of_look(daemon))["incident"] is None for daemon in pair])

        await until_true(both_up, story)
        assert len([*one.events("journey.up"), *other.events("journey.up")]) == 1

        # A pause at the one holds at the other within a second, and its end too.
        told = await homes[0].footfall("pause", "look", "--reason", "release", "--now")
        assert told.code == 0, told.err
        await other.wait_for("pause.set", timeout=5)
        assert (await of_look(other))["suspended"]["reason"] == "release"
        told = await homes[1].footfall("resume", "look")
        assert told.code == 0, told.err
        await one.wait_for("replica.heard")

        async def resumed() -> bool:
            return (await of_look(one))["suspended"] is None

        await until_true(resumed, story)

        # The same slots are counted at both, and runs say who made them.
        async def alike() -> bool:
            days = [(await of_look(daemon))["uptime"][0]["slots"] for daemon in pair]
            return days[0] == days[1] > 3

        await until_true(alike, story)
        listed = await asked(one, "/api/v1/runs?limit=100")
        assert len({run["replica"] for run in listed["runs"]}) == 2
        elsewhere = next(run for run in listed["runs"] if run["replica"] != instance_of(homes[0]))
        shown = await asked(one, f"/api/v1/runs/{elsewhere['run_id']}")
        assert shown["made_by"]["run"].endswith(f":{homes[1].port}/runs/{elsewhere['run_id']}")

        # Who signs in at one of them is signed in at both; a link is spent once.
        told = await homes[0].footfall("status", "--open")
        (link,) = re.findall(r"/sign-in\?link=\S+", told.out + told.err)
        cookie = await entered(homes[1], link)
        assert cookie is not None
        assert await entered(homes[0], link) is None
        assert await is_in(homes[0], cookie)
        await signed_out(homes[0], cookie)

        async def out() -> bool:
            return not await is_in(homes[1], cookie)

        await until_true(out, story)

        # One that dies is lost, what it measured is still counted, its evidence is gone with it.
        before = (await of_look(one))["uptime"][0]["slots"]
        other.signal(signal.SIGKILL)
        lost = await one.wait_for("replica.lost", timeout=40)
        assert lost["replica"] == instance_of(homes[1])
        shown = await asked(one, f"/api/v1/runs/{elsewhere['run_id']}")
        assert (shown["made_by"]["state"], shown["made_by"]["run"]) == ("lost", "")
        assert (await of_look(one))["uptime"][0]["slots"] >= before
        status = await homes[0].footfall("status")
        assert "LOST, heard last" in status.out

        # With the server away nothing is paused, and the agent says what follows.
        await nats.stop()

        async def degraded() -> bool:
            _, body = await one.get("/readyz", TOKEN)
            return body["status"] == "degraded" and "is away" in body["checks"]["queue"]["detail"]

        await until_true(degraded, story)
        told = await homes[0].footfall("pause", "look", "--reason", "release")
        assert told.code == 4
        assert "nothing is paused" in told.err
        assert (await of_look(one))["suspended"] is None
        await nats.start()

        async def back() -> bool:
            return (await one.get("/readyz", TOKEN))[1]["status"] == "ok"

        await until_true(back, story)
        assert (await of_look(one))["suspended"] is None


def instance_of(home: Home) -> str:
    return (home.state / "instance-id").read_text().strip()


async def entered(home: Home, link: str) -> str | None:
    """Sign in by a link as its page does; return the cookie, None where it is refused."""
    address = f"http://127.0.0.1:{home.port}"
    form = {"link": link.partition("link=")[2]}
    sent = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{address}/sign-in", data=form, headers=sent, allow_redirects=False) as found,
    ):
        if found.status != 303:
            return None
        cookie = SimpleCookie(found.headers["Set-Cookie"])
        return "; ".join(f"{name}={morsel.value}" for name, morsel in cookie.items())


async def is_in(home: Home, cookie: str) -> bool:
    address = f"http://127.0.0.1:{home.port}/api/v1/journeys"
    async with (
        aiohttp.ClientSession(headers={"Cookie": cookie}) as session,
        session.get(address) as found,
    ):
        return found.status == 200


async def signed_out(home: Home, cookie: str) -> None:
    address = f"http://127.0.0.1:{home.port}"
    sent = {"Cookie": cookie, "Origin": address, "Sec-Fetch-Site": "same-origin"}
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.post(f"{address}/sign-out", allow_redirects=False) as found,
    ):
        assert found.status == 303, await found.text()


async def test_replicas_need_one_token(tmp_path, shop):
    """Without it an agent of several does not start, and says what to give."""
    async with NatsServer() as nats:
        home = a_home(tmp_path / "one", shop, nats)
        del home.environment["FOOTFALL_SERVER__TOKEN"]
        refused = await home.footfall("run")
        assert refused.code == 2
        assert "needs `server.token`, the same for all replicas" in refused.err
        checked = await home.footfall("check")
        assert checked.code == 0
        assert "needs `server.token`" in checked.out + checked.err
        assert json.dumps(TOKEN) not in refused.err
