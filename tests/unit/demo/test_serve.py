from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from urllib.parse import urlsplit

import aiohttp
import pytest

from agent.demo.serve import serve
from agent.demo.store import ACCOUNT


async def test_both_origins_answer_where_they_say():
    """Inside the block both addresses are served, by names that a browser keeps apart."""
    async with serve() as at, aiohttp.ClientSession() as http:
        assert urlsplit(at.shop).hostname != urlsplit(at.analytics).hostname
        async with http.get(at.shop) as page:
            assert f'data-origin="{at.analytics}"' in await page.text()
        async with http.get(f"{at.analytics}/counts") as counts:
            assert await counts.json() == {"ga4": 0, "plausible": 0}
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(at.shop).port)) != 0


async def test_answers_leave_in_one_piece():
    """Small answers don't wait for the reader's acknowledgement: a page takes milliseconds."""
    loop = asyncio.get_running_loop()
    async with serve() as at, aiohttp.ClientSession() as http:
        spent = []
        for _ in range(20):
            begun = loop.time()
            async with http.get(at.shop) as page:
                await page.read()
            spent.append(loop.time() - begun)
    assert sorted(spent)[10] < 0.03


async def test_the_password_comes_from_the_environment(monkeypatch):
    """Whoever runs the demo chooses the account's password."""
    monkeypatch.setenv("FOOTFALL_DEMO_PASSWORD", "chosen")
    async with serve() as at, aiohttp.ClientSession() as http:
        for password, status in (("demo-password", 403), ("chosen", 200)):
            fields = {"email": ACCOUNT, "password": password}
            async with http.post(f"{at.shop}/sign-in", data=fields) as answer:
                assert answer.status == status


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "agent.demo"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_says_where_it_is_and_ends_cleanly(number):
    """One JSON line when ready; exit 0 and silence on a signal, even with a customer waiting."""
    shop = await start()
    at = json.loads(await shop.stdout.readline())
    assert sorted(at) == ["analytics", "shop"]
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{at['shop']}/demo/break/slow") as answer:
            assert answer.status == 200
        waiting = asyncio.create_task(http.post(f"{at['shop']}/checkout"))
        while True:
            async with http.get(f"{at['shop']}/demo/seen") as log:
                if (await log.json())["total"]:
                    break
        shop.send_signal(number)
        rest, errors = await shop.communicate()
        with pytest.raises(aiohttp.ClientError):
            (await waiting).raise_for_status()
    assert (shop.returncode, rest, errors) == (0, b"", b"")


async def test_a_taken_port_is_said():
    """Exit 1 with the reason and the way out, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shop = await start("--port", str(taken.getsockname()[1]))
        _, errors = await shop.communicate()
    assert shop.returncode == 1
    assert b"--port" in errors
    assert b"Traceback" not in errors
