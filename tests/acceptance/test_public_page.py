"""The page for everybody, beside a journey that is down, a pause, a window and a note."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from agent.storage import access_token
from tests.support.daemon import Daemon, Home
from tests.support.service import free_port

if TYPE_CHECKING:
    from tests.support.demo import DemoShop

CANARY = "zqx0815"
"""Stands in every private field that an author, an operator or a site gives."""
JOURNEYS = f'''
from agent import Run, journey


@journey(
    site="{CANARY}_site",
    owner="{CANARY}-owner",
    runbook="https://{CANARY}.example.com/",
    severity="{CANARY}-severity",
    params={{"word": "{CANARY}"}},
    public="Buy a mug",
)
async def {CANARY}_buy(run: Run) -> None:
    """{CANARY} in the summary."""
    async with run.step("{CANARY} step"):
        await run.page.goto("/search?q={CANARY}")
        await run.page.evaluate("console.error('{CANARY}'); document.title = '{CANARY}'")
        raise AssertionError("{CANARY} error")


@journey(site="{CANARY}_site", owner="{CANARY}-owner")
async def {CANARY}_hidden(run: Run) -> None:
    """{CANARY} in the summary."""
    await run.page.goto("/")
    raise AssertionError("{CANARY} error")
'''


@pytest.fixture
def telling(tmp_path, shop: DemoShop) -> Home:
    """An agent all of whose private fields hold the canary, with a public page."""
    home = Home(tmp_path / "home", {f"{CANARY}_site": f"{shop.url}/"})
    home.file("shop.py", JOURNEYS)
    home.public = f"http://127.0.0.1:{free_port()}"
    home.configure(
        top={"location": f"{CANARY}-location", "environment": f"{CANARY}-environment"},
        schedule={"every": "5s", "timeout": "3s", "grace": "2s", "confirm": False},
        server={"public_port": int(home.public.rpartition(":")[2])},
    )
    begins = datetime.now(UTC) + timedelta(hours=1)
    with home.config.open("a") as file:
        file.write(
            f'[[maintenance]]\njourneys = ["*"]\nlasts = "1h"\nreason = "{CANARY} reason"\n'
            f"starts = {begins:%Y-%m-%dT%H:%M:%SZ}\n"
        )
    return home


async def read(session: aiohttp.ClientSession, path: str) -> bytes:
    async with session.get(path, raise_for_status=True) as answer:
        headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
        return headers.encode() + await answer.read()


async def shown(session: aiohttp.ClientSession, within: float, **wanted: object) -> dict:
    """What the page says once it says this."""
    async with asyncio.timeout(within):
        while True:
            async with session.get("/status.json") as answer:
                told = await answer.json()
            if all(told[name] == value for name, value in wanted.items()):
                return told
            await asyncio.sleep(0.3)


async def test_no_private_byte_gets_out(telling):
    """Whatever happens to a public journey and beside it, no name, owner, address, place, error,
    step, reason, note, id or person is in any byte of the page, its data, its feed or the export;
    what is told is that it is down, since when, and that there will be maintenance."""
    async with Daemon(telling) as daemon, aiohttp.ClientSession(telling.public) as public:
        await daemon.started()
        await daemon.wait_for("journey.down", lambda r: "buy" in r["journey"])
        told = await shown(public, 60, state="down")
        (incident,) = told["incidents"]
        assert (incident["journeys"], incident["ended_at"]) == (["buy-a-mug"], None)
        assert [one["id"] for one in told["journeys"]] == ["buy-a-mug"]
        # A day may have begun since it failed.
        assert "fail" in [day["state"] for day in told["journeys"][0]["days"][-2:]]
        (window,) = told["maintenance"]
        assert (window["journeys"], window["holds"]) == (["buy-a-mug"], False)

        token = {"Authorization": f"Bearer {access_token.read(telling.state)}"}
        agent = f"http://127.0.0.1:{telling.port}"
        async with aiohttp.ClientSession(agent, headers=token) as own:
            number = (await (await own.get("/api/v1/incidents")).json())["incidents"][0]["id"]
            note = {"text": f"{CANARY} note", "who": f"{CANARY} person"}
            async with own.post(f"/api/v1/incidents/{number}/notes", json=note) as answer:
                assert answer.status < 300, await answer.text()
        paused = await telling.footfall("pause", "--all", "--reason", f"{CANARY} reason")
        assert paused.code == 0, paused.err
        await shown(public, 60, state="paused")

        exported = await telling.footfall("page", "--out", "status")
        assert exported.code == 0, exported.err
        files = {path.name: path.read_bytes() for path in (telling.path / "status").iterdir()}
        served = {name: await read(public, f"/{name}") for name in files}
        ids = [run["run_id"] for run in telling.runs()] + [
            run["trace_id"] for run in telling.runs()
        ]
        ids.append((telling.state / "instance-id").read_text().strip())
        assert ids[0] in json.dumps(telling.runs())
        private = [CANARY, telling.sites[f"{CANARY}_site"], str(telling.path), *ids, "assertion"]
        for name, content in {**files, **{f"/{name}": served[name] for name in served}}.items():
            for secret in private:
                assert secret.encode() not in content, (name, secret)
        assert {"index.html", "status.json", "feed.atom"} < set(files)
        for name in set(files) - {"index.html", "status.json", "feed.atom"}:
            assert served[name].endswith(files[name])

        for path in ("/api/v1/journeys", "/healthz", "/metrics", "/artifacts/"):
            async with public.get(path) as answer:
                assert answer.status == 404


async def test_an_export_outlives_its_agent(telling):
    """Where no agent answers, what was written before stays as it is; a folder that holds
    somebody else's page is left alone."""
    folder = telling.path / "status"
    folder.mkdir()
    (folder / "index.html").write_text("<p>mine</p>")
    refused = await telling.footfall("page", "--out", "status")
    assert refused.code == 2
    assert "holds another index.html" in refused.err
    (folder / "index.html").write_text("<p data-stale>of before</p>")
    away = await telling.footfall("page", "--out", "status")
    assert away.code == 4
    assert (folder / "index.html").read_text() == "<p data-stale>of before</p>"
    assert [path.name for path in folder.iterdir()] == ["index.html"]
