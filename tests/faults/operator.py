"""What an operator does while runs go on: stops, reloads, good and bad."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.books import ALL, Outcome, Part, Row, Rows, each, lateness, row_of
from tests.faults.watch import LEFT_AT_MOST, Watch
from tests.support.daemon import Daemon, Home, until
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver

if TYPE_CHECKING:
    import re
    from pathlib import Path
    from random import Random

_OPEN = 'await run.page.goto("/")\n'
_LINGER = f"""
{_OPEN}
run.log.info("here")
await asyncio.sleep(1.5)
"""
_STAY = f"""
{_OPEN}
run.log.info("here")
await asyncio.sleep(60)
"""
_PASS: Outcome = ("pass", None)
_LOST: Outcome = ("not_measured", "worker_lost")
_FORCED = 6.0
"""Seconds that the end may take after a second signal: abort, last delivery, processes."""
_DRAIN = 20.0
_BROKEN = "def half(:\n"


def _home(folder: Path, origin: Origin, body: str, timeout: str) -> Home:
    home = Home(folder, {"shop": origin.url})
    home.journey("victim", body)
    home.journey("well", _OPEN)
    home.configure(
        schedule={"every": "60s", "timeout": timeout, "grace": "1s"},
        journey__victim={"every": "40s" if timeout != "3s" else "5s"},
        journey__well={"every": "2s", "timeout": "1s", "grace": "1s"},
    )
    return home


async def _stop(home: Home, signals: int, moment: float) -> tuple[int, float]:
    """Stop an agent at a moment of a run; return its exit code and how long it took."""
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.wait_for("here", timeout=60)
        await asyncio.sleep(moment)
        began = time.monotonic()
        for number in range(signals):
            if number:
                await daemon.wait_for("drain.started")
                await asyncio.sleep(moment / 4)
            daemon.signal(signal.SIGTERM)
        code = await daemon.ended()
        return code, time.monotonic() - began


@dataclass(frozen=True)
class Stop:
    """How an agent is stopped, and what may come of it."""

    body: str
    timeout: str
    signals: int
    most: float
    """Seconds that its end may take."""
    intended: Outcome


STOPS = {
    "SIGTERM under a run": Stop(_LINGER, "3s", 1, 10.0, _PASS),
    "SIGTERM twice under a run": Stop(_STAY, "30s", 2, _FORCED, _LOST),
    "SIGTERM, a run outlasts the drain": Stop(_STAY, "30s", 1, _DRAIN + _FORCED, _LOST),
}


async def _stopped(name: str, folder: Path, origin: Origin, tries: int, random: Random) -> Row:
    how = STOPS[name]
    home = _home(folder / name.replace(" ", "_"), origin, how.body, how.timeout)
    ends = []
    async with OtlpReceiver() as otlp:
        home.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_endpoint}
        for number in range(tries):
            # In turns, so that what a stop leaves on disk is what the next start has to send.
            otlp.answer = 503 if number % 2 else 200
            code, took = await _stop(home, how.signals, random.uniform(0, 1.0))
            ends.append((code, round(took, 1), took <= how.most))
        otlp.answer = 200
        await _send_what_is_left(home)
        arrived = [span.attributes["footfall.run.id"] for span in otlp.spans if not span.parent_id]
    row = row_of(home, name, "victim", tries, {how.intended})
    row.hold_on_time(lateness(home, "well"))
    row.hold(
        all(code == 0 and soon for code, _, soon in ends),
        f"(exit code, seconds, in time): {ends}",
    )
    written = [run["run_id"] for run in home.runs()]
    row.hold(sorted(arrived) == sorted(written), f"{len(arrived)} of {len(written)} delivered")
    row.hold_none_left([*home.scratch(), *home.processes()])
    return row


async def _send_what_is_left(home: Home) -> None:
    """Start an agent once more where a stopped one left something to send."""
    waiting = "SELECT 1 FROM spool WHERE signal = 'traces'"
    if home.rows(waiting):
        async with Daemon(home) as daemon:
            await daemon.started()
            await until(lambda: not home.rows(waiting), 20, daemon.story)
            await daemon.terminate()


async def _reloads(name: str, folder: Path, origin: Origin, tries: int, random: Random) -> Row:
    """Change the journeys folder and the configuration under runs, for better and worse."""
    home = _home(folder / "reloads", origin, _LINGER, "3s")
    refused = done = 0
    async with Daemon(home) as daemon:
        await daemon.started()
        async with Watch(home, daemon.pid) as watch:
            for number in range(tries * 2):
                await daemon.wait_for("here", timeout=30, after=len(daemon.records))
                await asyncio.sleep(random.uniform(0, 1.0))
                good = home.config.read_text()
                bad = number % 2 == 1
                if not bad:
                    home.journey(f"new_{number}", _OPEN)
                elif random.random() < 0.5:
                    home.config.write_text(good + '\n[journey.victim]\ntimeout = "an hour"\n')
                else:
                    home.file("broken.py", _BROKEN)
                mark = len(daemon.records)
                daemon.signal(signal.SIGHUP)
                await daemon.wait_for("reload.refused" if bad else "reload.done", after=mark)
                refused, done = refused + bad, done + (not bad)
                home.config.write_text(good)
                (home.journeys / "broken.py").unlink(missing_ok=True)
                await daemon.finished("victim", after=mark)
            await asyncio.sleep(LEFT_AT_MOST)
        told = {event: len(daemon.events(event)) for event in ("reload.refused", "reload.done")}
        code = await daemon.terminate()
    row = row_of(home, name, "victim", tries * 2, {_PASS})
    row.hold_on_time(lateness(home, "well"))
    row.hold(told == {"reload.refused": refused, "reload.done": done}, f"reloads: {told}")
    row.hold(code == 0, f"the agent ended with {code}")
    row.hold_none_left([*watch.broken(), *home.processes()])
    # They may come too late for a slot.
    new = [row_of(home, f"new_{n}", f"new_{n}", 0, {_PASS}) for n in range(0, tries * 2, 2)]
    row.hold(not any(one.broken for one in new), f"new journeys: {[one.broken for one in new]}")
    return row


async def run(folder: Path, tries: int, random: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Stop and reload agents at random moments of their runs."""
    async with Origin(pages={"/": "<title>Home</title>"}) as origin:
        about = {"folder": folder, "origin": origin, "tries": tries, "random": random}
        parts: dict[str, Part] = {name: partial(_stopped, **about) for name in STOPS}
        parts["SIGHUP, good and bad, under runs"] = partial(_reloads, **about)
        async for row in each(parts, tries, only):
            yield row
