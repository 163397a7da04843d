"""`footfall demo` tells its whole story, and leaves nothing."""

from __future__ import annotations

import asyncio
import html
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest

from agent.cli.demo import _journeys
from agent.server.serving import listen, port_of
from tests.support.daemon import until
from tests.support.service import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_of_a_checkout_walks_its_journeys():
    """What somebody changes in `journeys/` is what `make demo` walks."""
    assert _journeys() == ROOT / "journeys"


def installed_wheel(folder: Path) -> Path:
    """Build the wheel and install it; return the folder to import it from."""
    built, installed = folder / "built", folder / "installed"
    build = ["hatchling", "build", "--target", "wheel", "--directory", built]
    install = ["pip", "install", "--no-deps", "--no-index", "--find-links", built]
    for command in (build, [*install, "--target", installed, "footfall"]):
        subprocess.run([sys.executable, "-m", *command], check=True, cwd=ROOT, capture_output=True)
    return installed


async def walked_pages(url: str) -> list[str]:
    """Ask for every address that the agent's pages lead to, as a browser does: each is there."""
    waiting, seen = ["/"], {"/"}
    headers = {"Accept": "text/html,*/*"}
    async with aiohttp.ClientSession(url, headers=headers) as session:
        while waiting:
            async with session.get(waiting[0]) as response:
                text = await response.text(errors="replace")
                assert response.status == 200, (waiting[0], text)
            waiting.pop(0)
            if response.content_type == "text/html":
                found = {html.unescape(one) for one in LINK.findall(text)} - seen
                seen |= found
                waiting += sorted(found)
    return sorted(seen)


def runs(process: psutil.Process) -> bool:
    """Whether it does anything yet; what nobody has reaped so far is the machine's business."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def shell(command: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Have a shell do what the demo said; return its exit code and all that it printed."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        check=False,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


LINK = re.compile(r"""(?:href|src)="(/[^"#]*)""")


@pytest.mark.timeout(290)
async def test_the_demo_shows_a_breakage_and_releases_that_are_judged(tmp_path_factory):
    """Installed from a wheel, in an empty folder and under the variables of the image, it prints
    the addresses, breaks the shop, tells fail with its evidence and the recovery. A good release
    is promoted, a bad one rolled back by itself, and of one that never arrives there is no verdict.
    Ctrl-C ends it with 0, and no process or folder of it is left. Whatever its pages lead to is
    there."""
    installed = await asyncio.to_thread(installed_wheel, tmp_path_factory.mktemp("wheel"))
    tmp_path, here = tmp_path_factory.mktemp("temporary"), tmp_path_factory.mktemp("here")
    with listen("127.0.0.1", 0) as probe:
        port = port_of(probe)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(installed),
        "PYTHONUNBUFFERED": "1",
        "FOOTFALL_JOURNEYS": "/journeys",
        "FOOTFALL_STATE": "/var/lib/footfall",
        "FOOTFALL_SERVER__PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent",
        "demo",
        cwd=here,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    lines: list[str] = []
    family: set[psutil.Process] = set()

    async def told(pattern: str, within: float = 90.0) -> str:
        try:
            async with asyncio.timeout(within):
                while not (found := re.search(pattern, "".join(lines))):
                    line = await process.stdout.readline()
                    assert line, "".join(lines)
                    lines.append(line.decode())
                    family.update(psutil.Process(process.pid).children(recursive=True))
                return found[0]
        except TimeoutError:
            raise AssertionError(f"no {pattern} within {within} s:\n{''.join(lines)}") from None

    try:
        await told(rf"pages +http://127\.0\.0\.1:{port} ")
        await told(r"shop +http://127\.0\.0\.1:\d+")
        await told(r"public page +http://127\.0\.0\.1:\d+/")
        await told(rf"health +http://127\.0\.0\.1:{port}/readyz")
        await told(r"buy_a_mug +(pass|flaky)")
        await told(r"revenue of people 0\.00 € \(0 orders\), beside 1 synthetic order")
        await told("Now checkout is broken")
        await told(r"buy_a_mug +fail.*\(2 attempts\).*http_status")
        await told("Detected, and confirmed in a fresh worker")
        page = await told(rf"http://127\.0\.0\.1:{port}/runs/[0-9a-f-]+")
        async with aiohttp.ClientSession() as session, session.get(page) as response:
            assert "/checkout answered 500" in await response.text()
        await told(r"screenshot\.png")
        await told("Recovered")
        assert len(await walked_pages(f"http://127.0.0.1:{port}")) > 10
        process.send_signal(signal.SIGINT)
        rest, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, "".join(lines) + rest.decode()
    finally:
        if process.returncode is None:
            # What it started goes with it, and holds the pipe until then.
            process.terminate()
            await process.communicate()
    assert len(family) > 5
    await until(lambda: not any(map(runs, family)), otherwise=lambda: str(family))
    left = [*tmp_path.iterdir(), *here.iterdir()]
    assert not left, "every folder of the demo is gone"
    kept = "".join(lines)
    assert "Traceback" not in kept
    assert {"not_measured"} & set(re.findall(r"not_measured", kept)) == set(), kept
