"""Two agents at one location: whatever is asked, paused or told at one holds at the other."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from tests.support.daemon import NEVER, Daemon, Home
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
    by_hand = f'every="{NEVER}", timeout="50s", browser=False'
    home.journey("long", "await asyncio.sleep(45)", f'site="shop", owner="tests", {by_hand}')
    return home


async def asked(daemon: Daemon, path: str) -> dict:
    status, body = await daemon.get(path, TOKEN)
    assert status == 200, body
    return body


async def of_look(daemon: Daemon, name: str = "look") -> dict:
    listed = (await asked(daemon, "/api/v1/journeys?days=1"))["journeys"]
    return next(journey for journey in listed if journey["journey"] == name)


@dataclass
class Pair:
    """Two daemons at one location, and the server between them."""

    nats: NatsServer
    homes: list[Home]
    one: Daemon
    other: Daemon

    def story(self) -> str:
        return "\n-----\n".join(daemon.story() for daemon in (self.one, self.other))

    async def until(self, look: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what is asked over the network, on however busy a machine."""
        try:
            async with asyncio.timeout(60):
                while not await look():  # noqa: ASYNC110 - a daemon tells nobody
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{look.__name__} never holds:\n{self.story()}") from None

    async def look(self) -> list[dict]:
        """How the journey stands, as each of them tells it."""
        return [await of_look(daemon) for daemon in (self.one, self.other)]

    def events(self, event: str) -> int:
        return len([*self.one.events(event), *self.other.events(event)])


async def test_a_location_is_told_and_held_at_any_of_its_replicas(tmp_path, shop):
    """Fails in a row, the incident and its notes, pauses, uptime, sign-ins, gates, deploys: one for
    both; with the server away nothing is half done, and one that has died is said to be gone."""
    async with AsyncExitStack() as stack:
        nats = await stack.enter_async_context(NatsServer())
        homes = [a_home(tmp_path / name, shop, nats) for name in ("one", "other")]
        one, other = [await stack.enter_async_context(Daemon(home)) for home in homes]
        pair = Pair(nats, homes, one, other)
        for daemon in (one, other):
            await daemon.started()
            await daemon.wait_for("replica.heard")
        await down_and_up_once(pair, shop)
        await paused_at_both(pair)
        run = await counted_once(pair)
        await known_at_both(pair)
        await judged_once(pair)
        await gone(pair, run)
        await refused_while_away(pair)


async def down_and_up_once(pair: Pair, shop: Shop) -> None:
    """One incident of one number, whoever walked; a note of one of them is the other's too."""
    shop.status = 500

    async def both_down() -> bool:
        return [one["incident"] for one in await pair.look()] == [1, 1]

    await pair.until(both_down)
    assert pair.events("journey.down") == 1
    note = {"text": "the cache is full", "who": "ada"}
    address = f"http://127.0.0.1:{pair.homes[1].port}/api/v1/incidents/1/notes"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.post(address, json=note) as response,
    ):
        assert response.status == 201, await response.text()

    async def noted() -> bool:
        found = await asked(pair.one, "/api/v1/incidents/1")
        return any(entry["text"] == note["text"] for entry in found["timeline"])

    await pair.until(noted)
    shop.status = 200

    async def both_up() -> bool:
        return [one["incident"] for one in await pair.look()] == [None, None]

    await pair.until(both_up)
    assert pair.events("journey.up") == 1


async def paused_at_both(pair: Pair) -> None:
    """A pause at the one holds at the other, where it ends walks too; either may end it."""
    run_id = (await posted(pair.homes[1], "/api/v1/journeys/long/runs", {}))[1]["run_id"]

    async def walks() -> bool:
        return (await of_look(pair.one, "long"))["running"]

    await pair.until(walks)
    told = await pair.homes[0].footfall("pause", "long", "--reason", "release", "--now")
    assert "Ended at other replicas as soon as they hear of it: long." in told.out, told
    ended = await pair.other.wait_for("run.finished", lambda record: record["run_id"] == run_id)
    assert (ended["result"], ended["error_type"]) == ("not_measured", "stopped")
    told = await pair.homes[0].footfall("pause", "look", "--reason", "release", "--now")
    assert told.code == 0, told.err
    await pair.other.wait_for("pause.set")
    assert [one["suspended"]["reason"] for one in await pair.look()] == ["release"] * 2
    told = await pair.homes[1].footfall("resume", "look", "long")
    assert told.code == 0, told.err

    async def resumed() -> bool:
        held = [one["suspended"] for one in await pair.look()]
        return all(one is None or one["over"] for one in held)

    await pair.until(resumed)


async def counted_once(pair: Pair) -> str:
    """The same slots at both, and each run says who made it; return one of the other's."""

    async def alike() -> bool:
        one, other = [told["uptime"][0]["slots"] for told in await pair.look()]
        made = (await asked(pair.one, "/api/v1/runs?limit=100"))["runs"]
        return one == other > 3 and len({run["replica"] for run in made}) == 2

    await pair.until(alike)
    listed = (await asked(pair.one, "/api/v1/runs?limit=100"))["runs"]
    theirs = instance_of(pair.homes[1])
    run: str = next(run["run_id"] for run in listed if run["replica"] == theirs)
    _, unknown = await pair.one.get("/api/v1/runs/of-long-ago", TOKEN)
    assert f"older ones are at http://127.0.0.1:{pair.homes[1].port}" in unknown["error"]
    shown = await asked(pair.one, f"/api/v1/runs/{run}")
    assert shown["made_by"]["run"].endswith(f":{pair.homes[1].port}/runs/{run}")
    return run


async def known_at_both(pair: Pair) -> None:
    """Who signs in at one of them is known at both; a link is spent, and a sign-out holds."""
    here, there = pair.homes
    told = await here.footfall("status", "--open")
    (link,) = re.findall(r"/sign-in\?link=\S+", told.out + told.err)
    cookie = await entered(there, link)
    assert cookie is not None
    assert await entered(here, link) is None
    assert await is_in(here, cookie)
    await signed_out(here, cookie)

    async def out() -> bool:
        return not await is_in(there, cookie)

    await pair.until(out)


async def judged_once(pair: Pair) -> None:
    """A gate of one key is one gate; the other waits for its verdict, and knows of its deploy."""
    here, there = pair.homes
    deploy = {"site": "shop", "release": "1.4.3"}
    assert (await posted(here, "/api/v1/deploys", deploy))[0] == 201
    order = {"site": "shop", "journeys": ["look"], "within": "50s"}
    gates = [
        (await posted(home, "/api/v1/gates", order, {"Idempotency-Key": "deploy-7"}))[1]
        for home in (here, there, here)
    ]
    assert len({gate["id"] for gate in gates}) == 1, gates
    told = await asked(pair.other, f"{gates[0]['address']}?wait=55s")
    assert told["verdict"] == "pass", told
    changed = order | {"within": "40s"}
    status, refused = await posted(there, "/api/v1/gates", changed, {"Idempotency-Key": "deploy-7"})
    assert (status, "asked otherwise" in json.dumps(refused)) == (422, True)

    async def known() -> bool:
        found = (await asked(pair.other, "/api/v1/deploys"))["deploys"]
        return [one["release"] for one in found] == ["1.4.3"]

    await pair.until(known)


async def posted(
    home: Home, path: str, body: dict, headers: dict | None = None
) -> tuple[int, dict]:
    sent = {"Authorization": f"Bearer {TOKEN}"} | (headers or {})
    address = f"http://127.0.0.1:{home.port}{path}"
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.post(address, json=body) as response,
    ):
        return response.status, await response.json()


async def gone(pair: Pair, run: str) -> None:
    """One that dies is lost; what it measured is still counted, its evidence went with it."""
    before = (await of_look(pair.one))["uptime"][0]["slots"]
    pair.other.signal(signal.SIGKILL)
    lost = await pair.one.wait_for("replica.lost")
    assert lost["replica"] == instance_of(pair.homes[1])
    shown = await asked(pair.one, f"/api/v1/runs/{run}")
    assert (shown["made_by"]["state"], shown["made_by"]["run"]) == ("lost", "")
    assert (await of_look(pair.one))["uptime"][0]["slots"] >= before
    status = await pair.homes[0].footfall("status")
    assert "LOST, heard last" in status.out


async def refused_while_away(pair: Pair) -> None:
    """Nothing is paused, neither then nor once the server is back."""

    async def state() -> tuple[str, str]:
        _, body = await pair.one.get("/readyz", TOKEN)
        return body["status"], body["checks"]["queue"]["detail"]

    await pair.nats.stop()

    async def degraded() -> bool:
        status, detail = await state()
        return status == "degraded" and "is away" in detail

    await pair.until(degraded)
    told = await pair.homes[0].footfall("pause", "look", "--reason", "release")
    assert told.code == 4
    assert "nothing is paused" in told.err
    await pair.nats.start()

    async def back() -> bool:
        return (await state())[0] == "ok"

    await pair.until(back)
    assert (await asked(pair.one, "/api/v1/journeys"))["pauses"] == []


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
    sent = {
        "Cookie": cookie,
        "Origin": address,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.post(f"{address}/sign-out", data="", allow_redirects=False) as found,
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
