"""From the alert to the screenshot: what a person who answers a page asks a running agent."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "0123456789abcdef-token"
HOME = b"\x1b[H"
"""Moves the cursor to the top left, before each page."""
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def broken(buying, breaking) -> AsyncIterator[Daemon]:
    """An agent whose journey that buys has failed, and whose other one passes."""
    buying.journey("look", LOOK)
    buying.configure(
        journey__look={"every": "6s", "timeout": "5s"},
        journey__buy_a_mug={"every": "9s", "timeout": "7s", "grace": "2s", "confirm": False},
        server={"host": "0.0.0.0", "token": TOKEN},
    )
    await breaking("error")
    async with Daemon(buying) as daemon:
        await daemon.started()
        await daemon.finished("look", "pass")
        await daemon.finished("buy_a_mug", "fail")
        yield daemon


async def test_watched_on_a_terminal_until_ctrl_c(broken):
    """It redraws in place, on the terminal's other screen, at 80 columns and at 40; no line is
    wider; Ctrl-C ends it with 0 and puts the terminal back. Piped, it is plain."""
    home = broken.home
    for width in (80, 40):
        code, said = await on_a_terminal(home, width, "status", "--watch", pages=3)
        assert code == 0, said
        assert said.startswith("\x1b[?1049h")
        assert said.endswith("\x1b[?1049l")
        for page in said.split(HOME.decode())[2:]:
            lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", one) for one in page.split("\r\n")]
            assert len(lines) <= 24
            words = [one for one in lines if len(one.rstrip()) > width and " " in one[16:].strip()]
            assert not words, words
        assert "FAIL" in said
    plain = await home.footfall("status", "--exit-code", "look")
    assert (plain.code, "\x1b" in plain.out) == (0, False)
    assert (await home.footfall("status", "--exit-code")).code == 1


async def on_a_terminal(home, width, *arguments, pages):
    """Run a command on a terminal of 24 lines, press Ctrl-C after so many pages; return them."""
    own, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", *arguments,
        cwd=home.path, env={**home.variables(), "TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = bytearray()

    def read():
        with suppress(OSError):
            said.extend(os.read(own, 65536))

    loop = asyncio.get_running_loop()
    loop.add_reader(own, read)
    try:
        await until(lambda: said.count(HOME) > pages, otherwise=said.decode)
        process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), 40)
        read()  # what it said last, where the loop hasn't come to it
    finally:
        loop.remove_reader(own)
        os.close(own)
    return code, said.decode(errors="replace")


async def test_from_the_alert_to_the_screenshot(broken):
    """One command names the journey, the step and the error, whose it is and where the evidence
    is; the link leads to the picture, for who has the token. With clients that hold on or never
    stop asking, slots run on time and the drain waits for nobody. Then, with no agent, exit 4."""
    home = broken.home
    told = await home.footfall("status")
    assert told.code == 0, told
    rows = told.out.splitlines()
    assert rows[0] == f"Footfall at test, http://127.0.0.1:{home.port}: 1 FAIL, 1 pass"
    assert rows[3].split()[:2] == ["FAIL", "buy_a_mug"]
    for expected in (
        'http_status in "Place the order"',
        "/checkout answered 500",
        "owner       checkout (page)",
        "runbook     https://",
        "agent  ready",
    ):
        assert expected in told.out, told.out
    assert TOKEN not in told.out
    (link,) = {word for word in told.out.split() if word.endswith("screenshot.png")}
    async with aiohttp.ClientSession() as session:
        async with session.get(link, headers=SHOWN) as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert (await response.read()).startswith(b"\x89PNG\r\n")
        async with session.get(link) as response:
            assert response.status == 401
    await is_what_once_prints(home)
    await is_not_held_up(broken)
    gone = await home.footfall("status")
    assert (gone.code, gone.out) == (4, "")
    assert f"no agent answers at http://127.0.0.1:{home.port}" in gone.err


async def is_what_once_prints(home) -> None:
    """Runs in the API are those of the schedule, word for word as the history has them."""
    address = f"http://127.0.0.1:{home.port}/api/v1/runs?journey=buy_a_mug&result=fail"
    async with aiohttp.ClientSession(headers=SHOWN) as session, session.get(address) as response:
        runs = (await response.json())["runs"]
    kept = [run for run in home.runs() if run["journey"] == "buy_a_mug" and run.pop("ended_at")]
    assert runs[-1] in kept
    assert {run["trigger"] for run in runs} == {"schedule"}
    assert [run["started_at"] for run in runs] == sorted(
        (run["started_at"] for run in runs), reverse=True
    )


async def is_not_held_up(daemon: Daemon) -> None:
    """Clients of the worst kind cost no slot, no health and no drain."""
    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(hold(daemon.home.port)) for _ in range(70)]
        clients += [group.create_task(hammer(daemon.home.port, path)) for path in HAMMERED]
        mark = len(daemon.records)
        finished = await daemon.finished("look", after=mark)
        assert finished["result"] == "pass"
        assert (await daemon.get("/healthz"))[0] == 200
        assert await daemon.terminate() == 0, daemon.story()
        for client in clients:
            client.cancel()
    reasons = {slot["reason"] for slot in daemon.home.slots() if slot["journey"] == "look"}
    # On a busy machine a run or a start may take too long: not the server's doing.
    assert reasons <= {None, "shutdown", "overrun", "down"}


HAMMERED = ("/api/v1/runs?limit=500", "/api/v1/journeys", "/readyz", "/nothing")


async def hold(port: int) -> None:
    """Begin to ask, again and again, and never come to an end."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return
        writer.write(b"GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nX: ")
        try:
            for _ in count():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            continue
        finally:
            writer.close()


async def hammer(port: int, path: str) -> None:
    """Ask without a pause until nobody answers."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=SHOWN) as session:
        while True:
            try:
                async with session.get(path) as response:
                    await response.read()
            except aiohttp.ClientConnectorError:
                return
            except aiohttp.ClientError:
                continue
