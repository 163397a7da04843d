"""How soon the last step of any walk comes after ``footfall pause --all --now``."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.daemon import Daemon, Home, until

if TYPE_CHECKING:
    from collections.abc import Sequence

_WALKS = ("one", "two")
_STEPS = """
for number in range(400):
    async with run.step(f"Step {number}"):
        print("MARK", time.time(), flush=True)
        await run.page.goto("/")
        await asyncio.sleep(0.05)
"""
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Stop:
    """Seconds until the last step that any walk took."""

    from_command: float
    """Since the command was given, before its process starts."""
    from_agent: float
    """Since the agent told the log that it is paused; 0 where none came later."""


async def measure(url: str, tries: int = _TRIES) -> list[Stop]:
    """Pause two walks that never stand still, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home", {"shop": url})
        for name in _WALKS:
            home.journey(name, _STEPS)
        home.configure(schedule={"every": "8s", "timeout": "6s", "grace": "2s"})
        async with Daemon(home) as daemon:
            await daemon.started()
            return [await _once(home, daemon) for _ in range(tries)]


async def _once(home: Home, daemon: Daemon) -> Stop:
    await until(lambda: len({run for run, at in _marks(daemon) if at > time.time() - 1}) == 2, 90)
    before = len(daemon.events("run.finished"))
    began = time.time()
    told = await home.footfall("pause", "--all", "--now", "--reason", "measured")
    if told.code:
        raise AssertionError(told.err)
    await until(lambda: len(daemon.events("run.finished")) >= before + len(_WALKS), 20)
    await asyncio.sleep(1)
    ended = daemon.events("run.finished")[before:]
    last = max(at for _, at in _marks(daemon))
    await home.footfall("resume", "--all")
    if {one["error_type"] for one in ended} != {"stopped"}:
        raise AssertionError(f"not all were stopped: {ended}")
    paused = datetime.fromisoformat(daemon.events("pause.set")[-1]["timestamp"]).timestamp()
    return Stop(max(0.0, last - began), max(0.0, last - paused))


def _marks(daemon: Daemon) -> Sequence[tuple[str, float]]:
    told = [record for record in daemon.records if record["event"].startswith("MARK")]
    return [(one["run_id"], float(one["event"].split()[1])) for one in told]
