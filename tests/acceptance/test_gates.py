"""Verdicts on releases by a real agent: what is walked, what is told, and what it leaves alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin

if TYPE_CHECKING:
    from pathlib import Path

BUY = """
async with run.step("Look"):
    await run.page.goto("/")
    await expect(run.page.get_by_role("heading")).to_have_text("Shop")
"""
PRIVATE = """
run.secret("PASSWORD")
await run.page.goto("/")
"""
CALM = {"every": "1h", "timeout": "10s", "grace": "2s", "confirm_after": "1s"}
"""So seldom that the schedule hardly stands beside what is tried."""


class Gated:
    """A home with a site, a copy of it elsewhere, and somebody else's server."""

    def __init__(self, folder: Path, shop: Origin, copy: Origin, third: Origin) -> None:
        self.shop, self.copy, self.third = shop, copy, third
        self.home = Home(folder, {"shop": shop.url})
        self.home.environment["FOOTFALL_SECRET_PASSWORD"] = "the-password"
        self.home.journey("buy", BUY)
        self.home.journey("private", PRIVATE)
        self.home.configure(
            schedule=CALM,
            sites__shop__release={"header": "X-Version"},
            sites__shop__gate={"urls": [copy.url], "headers": ["X-Canary"]},
        )

    async def ask(self, **order: Any) -> tuple[int, Any]:
        token = (self.home.state / "token").read_text().strip()
        session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})
        address = f"http://127.0.0.1:{self.home.port}/api/v1/gates"
        async with session, session.post(address, json={"site": "shop"} | order) as response:
            return response.status, await response.json()

    async def told(self, daemon: Daemon, gate: Any, wait: str = "60s") -> Any:
        status, told = await daemon.get(f"{gate['address']}?wait={wait}")
        assert status == 200, told
        return told


@pytest.fixture
async def gated(tmp_path: Path):
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{third.url}/landed")

    page = (
        "<link rel=icon href=data:,><link rel=stylesheet href=/style.css><h1>Shop</h1>"
        "<script>fetch('/api'); fetch('/away', {mode: 'no-cors'})</script><img src=THIRD/pixel>"
    )

    async def document(_: web.Request) -> web.Response:
        text = page.replace("THIRD", third.url)
        return web.Response(text=text, content_type="text/html", headers={"X-Version": "1.4.3"})

    third = Origin(host="127.0.0.2")
    pages = {"/": document, "/away": away, "/api": "{}", "/style.css": "h1 {color: red}"}
    async with third, Origin(pages=dict(pages)) as shop, Origin(pages=dict(pages)) as copy:
        yield Gated(tmp_path / "home", shop, copy, third)


async def test_a_gate_at_another_address_keeps_what_is_secret(gated: Gated) -> None:
    """Its pages get identity and header, files too; nobody else does, nor where it redirects to.
    A journey that wants a secret there gets none, and there is no verdict."""
    async with Daemon(gated.home) as daemon:
        await daemon.started()
        status, gate = await gated.ask(
            journeys=["buy"], url=gated.copy.url, headers={"X-Canary": "only-for-us"}, within="60s"
        )
        assert status == 202, gate
        told = await gated.told(daemon, gate)
        assert told["verdict"] == "pass", told
        assert {asked.path for asked in gated.copy.seen} == {"/", "/api", "/away", "/style.css"}
        for asked in gated.copy.seen:
            assert asked.headers["x-canary"] == "only-for-us", asked
            assert asked.headers["x-synthetic-journey"] == "buy", asked
        assert gated.third.asked("/landed")
        for asked in [*gated.third.seen, *gated.shop.seen]:
            assert "x-canary" not in asked.headers, asked
        for asked in gated.third.seen:
            assert "x-synthetic-journey" not in asked.headers, asked
        told_at_all = json.dumps(told) + daemon.story()
        assert "only-for-us" not in told_at_all

        _, gate = await gated.ask(journeys=["private"], url=gated.copy.url, within="60s")
        told = await gated.told(daemon, gate)
        assert told["verdict"] == "error"
        assert "the secret 'PASSWORD' is withheld" in told["reasons"][0], told
        _, gate = await gated.ask(journeys=["private"], within="60s")
        assert (await gated.told(daemon, gate))["verdict"] == "pass"

        for order in (
            {"url": gated.third.url},
            {"url": gated.copy.url.replace("127.0.0.1", "localhost")},
            {"url": f"{gated.copy.url}@{gated.third.url.partition('//')[2]}"},
            {"headers": {"Host": "x"}},
            {"headers": {"X-Canary": "1\r\nCookie: a=b"}},
        ):
            status, refusal = await gated.ask(**order)
            assert status == 422, (order, refusal)
        # None of it is the schedule's.
        assert not [run for run in gated.home.runs() if run["trigger"] == "gate"]


async def test_the_command_says_what_to_do(gated: Gated) -> None:
    """0 promote, 1 roll back, 3 no verdict, 2 it can't be asked so, 4 nobody answers."""
    command = ("gate", "--site", "shop", "buy", "--within", "60s")
    async with Daemon(gated.home) as daemon:
        await daemon.started()
        done = await gated.home.footfall(*command, "--release", "1.4.3")
        assert done.code == 0, done
        assert "pass: promote" in done.out
        assert "buy passed in 5 of 5 walks" in done.out
        page = next(word for word in done.out.split() if "/gates/" in word)
        async with aiohttp.ClientSession() as session, session.get(page) as response:
            assert "Promote it" in await response.text()
        gated.shop.pages["/"] = "<h1>Oops</h1>"
        done = await gated.home.footfall(*command, "--json")
        assert done.code == 1, done
        (told,) = done.objects
        assert told["verdict"] == "fail"
        assert "failed in 2 of 2 walks" in told["reasons"][0]
        # Two walks, the rest between them, and what begins and ends them.
        counted = [run["duration"] for run in told["runs"] if run["counts"]]
        assert len(counted) == 2
        done = await gated.home.footfall("gate", "--site", "shop", "buy", "--within", "1s")
        assert done.code == 3, done
        assert "error: no verdict" in done.out
        assert (await gated.home.footfall("gate", "--site", "shap")).code == 2
        assert (await gated.home.footfall("gate")).code == 2
    assert (await gated.home.footfall(*command)).code == 4


async def test_an_agent_that_dies_under_a_gate_says_so(gated: Gated) -> None:
    """After a kill at its next start, at a drain at once, to whoever waits too."""

    async def slow(_: web.Request) -> web.Response:
        raise AssertionError("nobody comes so far")

    gated.shop.pages["/"] = slow
    async with Daemon(gated.home) as daemon:
        await daemon.started()
        _, lost = await gated.ask(journeys=["buy"], within="10m")
        await daemon.kill()
    async with Daemon(gated.home) as daemon:
        await daemon.started()
        told = await gated.told(daemon, lost)
        assert told["verdict"] == "error"
        assert "died, or was restarted" in told["reasons"][0]
        _, drained = await gated.ask(journeys=["buy"], within="10m")
        assert await daemon.terminate() == 0, daemon.story()
    rows = gated.home.rows("SELECT document FROM gates WHERE id = ?", drained["id"])
    told = json.loads(rows[0]["document"])
    assert told["verdict"] == "error"
    assert told["reasons"][0] == "the agent was stopped before there was a verdict"
    await gated.home.until_gone()
