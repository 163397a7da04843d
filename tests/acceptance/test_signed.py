"""The agent signs what it sends, and a real shop leaves it out of its revenue by that alone."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import time
import urllib.parse
import urllib.request
import zipfile
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from aiohttp import web

from agent.cli.keys import make
from agent.demo.serve import Addresses, serve
from agent.verify import Verifier
from tests.support.daemon import Daemon, patient
from tests.support.origin import Origin
from tests.support.service import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.cli.keys import Made
    from tests.support.daemon import Home

CARRIERS = ("signature", "signature-input", "signature-agent")
FORGED = {
    "X-Synthetic-Journey": "buy_a_mug",
    "baggage": "synthetic_request=true,footfall.journey=buy_a_mug,footfall.run=run-1",
}
ROAMS = """
page = run.page
async with run.step("Go round"):
    await page.goto("/")
    await page.goto("/away")
    await page.goto("/")
    await page.evaluate("url => fetch(url, {mode: 'no-cors'})", run.params["third"])
    await run.api.get("/api")
"""

STANDS_STILL = """
async with run.step("Go round"):
    await run.page.goto("/stop")
    for path in ("/once", "/twice"):
        await run.page.goto(run.params["unknown"] + path)
    await run.page.goto("/known")
    await run.page.goto("/go-on")
    await run.page.goto(run.params["unknown"] + "/later")
    await run.page.goto("/stop-briefly")
    await run.page.goto(run.params["other"] + "/waited")
"""


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "keys", 1, time.time())


def signing(key: str) -> dict[str, str]:
    return {"signing_key": key, "info_url": "https://shop.example/synthetic"}


def ask(opener: Any, url: str, data: bytes | None = None) -> Any:
    with opener.open(url, data, timeout=10) as answer:
        body = answer.read()
        return json.loads(body) if "json" in answer.headers["content-type"] else body


def order(shop: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """Buy a mug with a client that isn't the agent's."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    opener.addheaders = list(headers.items())
    cart = urllib.request.Request(f"{shop}/api/cart", b'{"slug": "mug"}')
    opener.open(cart, timeout=10).close()
    quote = ask(opener, f"{shop}/api/shipping?country=DE")["quote"]
    fields = {"name": "A", "email": "a@b", "address": "B", "city": "C", "quote": quote}
    page = ask(opener, f"{shop}/checkout", urllib.parse.urlencode(fields).encode())
    assert b"Order confirmed" in page


def books(shop: str) -> dict[str, int]:
    return dict(ask(urllib.request.build_opener(), f"{shop}/demo/books"))


def home_of(tmp_path: Path, made: Made, shop: Addresses) -> Home:
    home = patient(tmp_path, {"shop": shop.shop})
    timing = {"every": "1m", "grace": "5s"}
    home.configure(identity=signing(f"keys/{made.key.name}"), journey__buy_a_mug=timing)
    home.file("buy_a_mug.py", (ROOT / "journeys" / "buy_a_mug.py").read_text())
    return home


async def test_revenue_counts_the_person_alone_and_a_forger_pays(tmp_path, made):
    """The agent walks, a person buys, somebody writes the agent's headers: two of three orders
    count, by the verified mark and by nothing else."""
    async with serve(keys=made.directory) as shop:
        home = home_of(tmp_path, made, shop)
        walked = await home.footfall("once", "buy_a_mug")
        assert walked.code == 0, walked
        after_agent = await asyncio.to_thread(books, shop.shop)
        assert after_agent == {"revenue_cents": 0, "orders": 0, "synthetic_orders": 1}
        await asyncio.to_thread(order, shop.shop)
        person = await asyncio.to_thread(books, shop.shop)
        assert (person["orders"], person["synthetic_orders"]) == (1, 1)
        assert person["revenue_cents"] > 0
        await asyncio.to_thread(order, shop.shop, FORGED)
        assert await asyncio.to_thread(books, shop.shop) == {
            "revenue_cents": 2 * person["revenue_cents"],
            "orders": 2,
            "synthetic_orders": 1,
        }


async def test_sighup_takes_up_another_key_and_refuses_a_bad_one(tmp_path, made):
    """The shop knows the second key alone: orders count until the agent signs with it; a
    damaged key changes nothing, and is named and not quoted."""
    second = make(tmp_path / "second", 1, time.time())
    bad = tmp_path / "keys" / "bad.pem"
    bad.write_text(made.key.read_text()[:-40])
    async with serve(keys=second.directory) as shop:
        home = home_of(tmp_path, made, shop)
        async with Daemon(home) as daemon:
            await daemon.started()

            def sign_with(key: str) -> int:
                timing = {"every": "6s", "timeout": "4s", "grace": "2s"}
                home.configure(identity=signing(key), journey__buy_a_mug=timing)
                daemon.signal(signal.SIGHUP)
                return len(daemon.records)

            mark = sign_with("keys/bad.pem")
            refused = await daemon.wait_for("reload.refused", after=mark)
            assert "identity.signing_key" in refused["error"]
            assert made.key.read_text().splitlines()[1][:16] not in refused["error"]
            mark = sign_with(f"keys/{made.key.name}")
            await daemon.wait_for("reload.done", after=mark)
            await daemon.finished("buy_a_mug", "pass", after=mark)
            assert (await asyncio.to_thread(books, shop.shop))["synthetic_orders"] == 0
            mark = sign_with(str(second.key))
            await daemon.wait_for("reload.done", after=mark)
            await until_synthetic(shop.shop)


async def until_synthetic(shop: str) -> None:
    async with asyncio.timeout(60):
        while not (await asyncio.to_thread(books, shop))["synthetic_orders"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_each_first_party_gets_its_own_signature_and_nobody_else_any(tmp_path, made):
    """Known origins, redirects between them and hosts that only a wildcard covers: each request
    verifies for the host it was sent to. A third party gets none; nothing is kept of one."""
    verifier = Verifier(made.directory)
    async with (
        Origin() as shop,
        Origin(host="127.0.0.2") as partner,
        Origin(host="127.0.0.3") as third,
    ):
        wild = shop.url.replace("127.0.0.1", "a.shop.localhost")

        async def away(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{partner.url}/back"})

        async def away_by_api(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{partner.url}/done"})

        async def back(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{wild}/landed"})

        shop.pages |= {"/": "<h1>Shop</h1>", "/away": away, "/landed": "<h1>Landed</h1>"}
        shop.pages["/api"] = away_by_api
        partner.pages["/done"] = "done"
        partner.pages["/back"] = back
        third.pages["/pixel"] = "third"
        home = patient(tmp_path, {"shop": shop.url})
        wildcard = wild.replace("a.shop.", "*.")
        home.configure(
            identity=signing(f"keys/{made.key.name}"),
            sites__shop={"first_party": [shop.url, partner.url, wildcard]},
            artifacts={"keep": "all", "trace": "all"},
        )
        params = f'site="shop", owner="tests", params={{"third": "{third.url}/pixel"}}'
        home.journey("roams", ROAMS, params)
        walked = await home.footfall("once", "roams", "--json")
        assert walked.code == 0, walked
        seen = [*shop.seen, *partner.seen]
        paths = [one.path for one in seen]
        assert {"/", "/away", "/back", "/landed", "/api", "/done"} <= set(paths)
        for one in seen:
            found = verifier.verify(one.headers, one.headers["host"])
            assert found is not None, one
            assert found.verified, (one.path, one.headers["host"], found.reason)
        assert {one.headers["host"].partition(":")[0] for one in seen} == {
            "127.0.0.1",
            "127.0.0.2",
            "a.shop.localhost",
        }
        assert third.asked("/pixel")
        assert not any(name in one.headers for one in third.seen for name in CARRIERS)
        used = {one.headers["signature"].removeprefix("sig1=").strip(":") for one in seen}
        assert len(used) == 3, "one signature an authority"
        await asyncio.to_thread(nowhere, used, home.state, f"{walked.out}{walked.err}")


async def test_where_the_supervisor_stands_still_requests_go_unsigned_and_on_time(tmp_path, made):
    """A host that only a wildcard covers has to be asked for: its first request waits for a
    second, later ones don't, and none waits for longer. What was signed before stays signed,
    an answer in time is waited for, and once the supervisor goes on, so do signatures."""
    verifier = Verifier(made.directory)
    came: dict[str, float] = {}
    signed: dict[str, bool] = {}

    def supervisor(number: signal.Signals) -> None:
        for one in psutil.Process().children():
            # Another test's may end, or have ended, meanwhile.
            with suppress(psutil.Error):
                if "once" in one.cmdline():
                    one.send_signal(number)

    async def answer(request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        found = verifier.verify(request.headers, request.host)
        signed[request.path] = found is not None and found.verified
        came[request.path] = loop.time()
        if request.path.startswith("/stop"):
            supervisor(signal.SIGSTOP)
        if request.path == "/stop-briefly":
            loop.call_later(0.4, supervisor, signal.SIGCONT)
        if request.path == "/go-on":
            supervisor(signal.SIGCONT)
            await asyncio.sleep(0.3)  # for the answer that lay waiting
        return web.Response(text="<h1>Here</h1>", content_type="text/html")

    ways = ("/stop", "/once", "/twice", "/known", "/go-on", "/later", "/stop-briefly", "/waited")
    async with Origin(pages=dict.fromkeys(ways, answer)) as shop:
        hosts = {name: shop.url.replace("127.0.0.1", f"{name}.shop.localhost") for name in "ab"}
        home = patient(tmp_path, {"shop": shop.url})
        home.configure(
            identity=signing(f"keys/{made.key.name}"),
            sites__shop={"first_party": [shop.url, hosts["a"].replace("a.shop.", "*.")]},
        )
        params = {"unknown": hosts["a"], "other": hosts["b"]}
        home.journey("stands", STANDS_STILL, f'site="shop", owner="tests", params={params!r}')
        walked = await home.footfall("once", "stands")
    assert walked.code == 0, walked
    assert signed == {way: way not in {"/once", "/twice"} for way in ways}
    took = {way: came[way] - came[before] for before, way in itertools.pairwise(ways)}
    # By each other, since a busy machine is slow with all of them.
    assert took["/once"] > 0.9, took
    assert max(took[way] for way in ("/twice", "/known", "/go-on")) < took["/once"], took
    assert took["/waited"] > 0.3, took


def nowhere(signatures: set[str], state: Path, said: str) -> None:
    """No signature in what the agent keeps, or said."""
    kept = [path for path in state.rglob("*") if path.is_file()]
    archives = [path for path in kept if path.suffix == ".zip"]
    assert archives, "the walk kept its trace"
    contents = [path.read_bytes() for path in kept] + [said.encode()]
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            contents += [archive.read(name) for name in archive.namelist()]
    for signature in signatures:
        assert not any(signature.encode() in content for content in contents)
