"""Killing and stopping each process of the agent under a run, and the agent itself."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from agent.browser.find import require_browser
from tests.faults.books import Outcome, Row, lateness, row_of
from tests.faults.watch import LEFT_AT_MOST, Watch
from tests.support.daemon import Daemon, Home, until
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

_EVERY = 12
_PASS: Outcome = ("pass", None)
_OURS: set[Outcome] = {
    _PASS,
    *(
        ("not_measured", word)
        for word in ("browser_crash", "browser_launch", "canary", "worker_killed", "worker_lost")
    ),
}
_FLAKY: set[Outcome] = {("flaky", "page_crash"), ("flaky", "timeout")}
_LINGER = """
run.log.info("here", pid=os.getpid())
for _ in range(8):
    await run.page.goto("/")
    await asyncio.sleep(0.15)
"""
_LOOK = 'await run.page.goto("/")'


def _driver(worker: psutil.Process) -> psutil.Process:
    return worker.children()[0]


def _browser(worker: psutil.Process) -> psutil.Process:
    return min(_driver(worker).children(), key=psutil.Process.create_time)


def _renderer(worker: psutil.Process) -> psutil.Process:
    below = _browser(worker).children(recursive=True)
    return next(one for one in below if "--type=renderer" in one.cmdline())


TARGETS: dict[str, Callable[[psutil.Process], psutil.Process]] = {
    "browser": _browser,
    "renderer": _renderer,
    "driver": _driver,
    "worker": lambda worker: worker,
}
DEEDS = {"kill -9": signal.SIGKILL, "kill -STOP": signal.SIGSTOP}


def _home(folder: Path, origin: Origin) -> Home:
    home = Home(folder, {"shop": origin.url})
    home.journey("victim", _LINGER)
    home.journey("well", _LOOK)
    home.configure(
        schedule={"every": f"{_EVERY}s", "timeout": "2s", "grace": "1s"},
        journey__well={"every": "2s", "timeout": "1s", "grace": "1s"},
        workers={"count": 3},
    )
    return home


async def _under_a_run(daemon: Daemon, random: Random) -> psutil.Process:
    """Wait for the next run of the victim, and for a moment within it; return its worker."""
    here = await daemon.wait_for("here", timeout=30, after=len(daemon.records))
    await asyncio.sleep(random.uniform(0, 1.0))
    return psutil.Process(here["pid"])


async def _try_all(folder: Path, origin: Origin, tries: int, random: Random) -> list[Row]:
    rows = []
    for target, find in TARGETS.items():
        for deed, number in DEEDS.items():
            name = f"{deed} of the {target}"
            home = _home(folder / name.replace(" ", "_"), origin)
            async with Daemon(home) as daemon:
                await daemon.started()
                async with Watch(home, daemon.pid) as watch:
                    for _ in range(tries):
                        worker = await _under_a_run(daemon, random)
                        with suppress(psutil.Error, IndexError, ValueError, StopIteration):
                            find(worker).send_signal(number)
                        await daemon.finished("victim", timeout=20, after=len(daemon.records))
                    await asyncio.sleep(LEFT_AT_MOST)
                code = await daemon.terminate()
            intended = {_PASS, *_FLAKY} if target == "renderer" else {_PASS}
            row = row_of(home, name, "victim", tries, intended)
            row.late = lateness(home, "well")
            row.hold(code == 0, f"the agent ended with {code}")
            row.hold(not watch.broken(), f"left over: {watch.broken()}")
            row.hold(not home.processes(), f"left at the end: {home.processes()}")
            if target != "renderer":
                row.hold(set(row.first) <= _OURS, f"first attempts: {set(row.first) - _OURS}")
            rows.append(row)
    return rows


async def _supervisor(folder: Path, origin: Origin, tries: int, random: Random) -> list[Row]:
    """Kill the agent under runs and start it again; stop it for some seconds."""
    home = _home(folder / "supervisor_killed", origin)
    left = 0.0
    for _ in range(tries):
        async with Daemon(home) as daemon:
            await daemon.started()
            await _under_a_run(daemon, random)
            await daemon.kill()
            began = time.monotonic()
            await until(lambda: not home.processes(), 10)
            left = max(left, time.monotonic() - began)
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("victim", timeout=30)
        code = await daemon.terminate()
    lost: Outcome = ("not_measured", "worker_lost")
    killed = row_of(home, "kill -9 of the agent", "victim", tries, {_PASS, lost})
    killed.hold(killed.results[lost] == tries, f"{killed.results[lost]} runs were cut")
    killed.hold(code == 0, f"the agent ended with {code}")
    killed.hold(left <= LEFT_AT_MOST, f"its processes lived on for {left:.1f} s")

    home = _home(folder / "supervisor_stopped", origin)
    async with Daemon(home) as daemon:
        await daemon.started()
        async with Watch(home, daemon.pid) as watch:
            for _ in range(tries):
                await _under_a_run(daemon, random)
                daemon.signal(signal.SIGSTOP)
                await asyncio.sleep(random.uniform(2, 6))
                daemon.signal(signal.SIGCONT)
                await daemon.finished("victim", timeout=20, after=len(daemon.records))
            await asyncio.sleep(LEFT_AT_MOST)
        code = await daemon.terminate()
    stopped = row_of(home, "kill -STOP of the agent", "victim", tries, {_PASS})
    stopped.hold(code == 0, f"the agent ended with {code}")
    stopped.hold(not home.processes(), f"left at the end: {home.processes()}")
    del watch  # what stood still could not end anything meanwhile
    return [killed, stopped]


async def _no_browser(folder: Path, origin: Origin) -> list[Row]:
    """A browser that is gone, and one that exits at once, under the running agent."""
    real = require_browser()
    rows = []
    for what, text in (("missing", None), ("exiting", "#!/bin/sh\nexit 1\n")):
        home = _home(folder / what, origin)
        script = home.path / "browser.sh"
        script.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
        script.chmod(0o755)
        home.configure(
            browser={"executable": str(script)},
            schedule={"every": "5s", "timeout": "2s", "grace": "1s"},
            workers={"count": 1},
        )
        async with Daemon(home) as daemon:
            await daemon.finished("victim", "pass", 30)
            if text is None:
                script.rename(home.path / "gone")
            else:
                script.write_text(text)
            await daemon.finished("victim", "not_measured", 30, after=len(daemon.records))
            script.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
            script.chmod(0o755)
            await daemon.finished("victim", "pass", 40, after=len(daemon.records))
            code = await daemon.terminate()
        ours: Outcome = ("not_measured", "browser_launch")
        row = row_of(home, f"browser {what}", "victim", 1, {_PASS, ours})
        row.hold(code == 0, f"the agent ended with {code}")
        row.hold(not home.processes(), f"left at the end: {home.processes()}")
        rows.append(row)
    return rows


async def run(folder: Path, tries: int, random: Random) -> list[Row]:
    """Every process, each deed, at random moments of a run."""
    page = {"/": "<title>Home</title><h1>Home</h1>"}
    async with Origin(pages=page) as origin:
        return [
            *await _try_all(folder, origin, tries, random),
            *await _supervisor(folder, origin, tries, random),
            *await _no_browser(folder, origin),
        ]
