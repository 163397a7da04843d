"""Killing and stopping each process of the agent under a run, and the agent itself."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import psutil

from agent.browsers.find import require_browser
from tests.faults.books import ALL, Outcome, Part, Row, Rows, each, lateness, row_of
from tests.faults.watch import LEFT_AT_MOST, Watch
from tests.support.daemon import Daemon, Home, until
from tests.support.origin import Origin

if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

_EVERY = 15
"""Seconds between two slots: two attempts of the victim fit in, and two seconds more."""
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
for _ in range(7):
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
        schedule={"every": f"{_EVERY}s", "timeout": "4s", "grace": "1s"},
        journey__well={"every": "2s", "timeout": "1s", "grace": "1s"},
        workers={"count": 3},
    )
    return home


@dataclass(frozen=True)
class Campaign:
    """Where the agents live, and what they walk."""

    folder: Path
    origin: Origin
    tries: int
    random: Random

    async def one(self, name: str, target: str, number: signal.Signals) -> Row:
        """Send one process of the agent's a signal under runs."""
        home = _home(self.folder / name.replace(" ", "_"), self.origin)
        async with Daemon(home) as daemon:
            await daemon.started()
            async with Watch(home, daemon.pid) as watch:
                for _ in range(self.tries):
                    worker = await self._under_a_run(daemon)
                    with suppress(psutil.Error, IndexError, ValueError, StopIteration):
                        TARGETS[target](worker).send_signal(number)
                    await daemon.finished("victim", timeout=20, after=len(daemon.records))
                await asyncio.sleep(LEFT_AT_MOST)
            code = await daemon.terminate()
        intended = {_PASS}
        if target == "renderer":
            intended |= _FLAKY
        elif number is signal.SIGSTOP:
            # Told at the deadline alone: a busy machine may leave no room for another try. Who
            # still gets to ask for the agent's own page isn't shown it either.
            intended |= {("not_measured", "worker_killed"), ("not_measured", "canary")}
        row = row_of(home, name, "victim", self.tries, intended)
        row.hold_on_time(lateness(home, "well"))
        row.hold(code == 0, f"the agent ended with {code}")
        row.hold_none_left([*watch.broken(), *home.processes()])
        if target != "renderer":
            row.hold(set(row.first) <= _OURS, f"first attempts: {set(row.first) - _OURS}")
        return row

    async def agent_killed(self, name: str) -> Row:
        """Kill the agent under runs and start it again."""
        home = _home(self.folder / "supervisor_killed", self.origin)
        left = 0.0
        for _ in range(self.tries):
            async with Daemon(home) as daemon:
                await daemon.started()
                await self._under_a_run(daemon)
                await daemon.kill()
                began = time.monotonic()
                await until(lambda: not home.processes(), 10)
                left = max(left, time.monotonic() - began)
        async with Daemon(home) as daemon:
            await daemon.started()
            await daemon.finished("victim", timeout=30)
            code = await daemon.terminate()
        lost: Outcome = ("not_measured", "worker_lost")
        row = row_of(home, name, "victim", self.tries, {_PASS, lost})
        row.hold(row.results[lost] == self.tries, f"{row.results[lost]} runs were cut")
        row.hold(code == 0, f"the agent ended with {code}")
        row.hold(left <= LEFT_AT_MOST, f"its processes lived on for {left:.1f} s")
        row.hold_none_left(home.processes())
        return row

    async def agent_stopped(self, name: str) -> Row:
        """Stop the agent for some seconds under runs."""
        home = _home(self.folder / "supervisor_stopped", self.origin)
        async with Daemon(home) as daemon:
            await daemon.started()
            for _ in range(self.tries):
                await self._under_a_run(daemon)
                daemon.signal(signal.SIGSTOP)
                await asyncio.sleep(self.random.uniform(2, 6))
                daemon.signal(signal.SIGCONT)
                await daemon.finished("victim", timeout=20, after=len(daemon.records))
            code = await daemon.terminate()
        row = row_of(home, name, "victim", self.tries, {_PASS})
        row.hold(code == 0, f"the agent ended with {code}")
        row.hold_none_left(home.processes())
        return row

    async def no_browser(self, name: str, text: str | None) -> Row:
        """Take the browser away under the running agent: gone, or one that exits at once."""
        real = require_browser()
        home = _home(self.folder / name.replace(" ", "_"), self.origin)
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
        row = row_of(home, name, "victim", 1, {_PASS, ours})
        row.hold(code == 0, f"the agent ended with {code}")
        row.hold_none_left(home.processes())
        return row

    async def _under_a_run(self, daemon: Daemon) -> psutil.Process:
        """Wait for the next run of the victim, and for a moment within it; return its worker."""
        here = await daemon.wait_for("here", timeout=30, after=len(daemon.records))
        await asyncio.sleep(self.random.uniform(0, 0.8))
        return psutil.Process(here["pid"])


async def run(folder: Path, tries: int, random: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Every process, each deed, at random moments of a run."""
    page = {"/": "<title>Home</title><h1>Home</h1>"}
    async with Origin(pages=page) as origin:
        to = Campaign(folder, origin, tries, random)
        parts: dict[str, Part] = {
            f"{deed} of the {target}": partial(to.one, target=target, number=number)
            for target in TARGETS
            for deed, number in DEEDS.items()
        }
        parts["kill -9 of the agent"] = to.agent_killed
        parts["kill -STOP of the agent"] = to.agent_stopped
        parts["browser missing"] = partial(to.no_browser, text=None)
        parts["browser exiting"] = partial(to.no_browser, text="#!/bin/sh\nexit 1\n")
        async for row in each(parts, tries, only):
            yield row
