"""Looking all the time for what an agent should not have around it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import psutil

from agent.pool.process_tree import MARK
from tests.support.processes import command_line

if TYPE_CHECKING:
    from tests.support.daemon import Home

STRAY = "footfall-stray"
"""Stands in the arguments of whatever a journey starts and leaves."""
LEFT_AT_MOST = 2.0
_LEEWAY = 1.5
"""Seconds more, since this looks every half second."""
_EVERY = 0.5


class Watch:
    """Remembers how long each thing was there that should have been gone.

    That is: a process with the agent's mark, or below the agent, that hangs below no worker; a
    zombie below the agent; a journey's own child; a port that one of them listens on; a
    recording of a run that is over.
    """

    def __init__(self, home: Home, pid: int) -> None:
        self._home = home
        self._pid = pid
        self._since: dict[str, float] = {}
        self._own = 0.0
        """Seconds by which a look of its own came late at the worst: as late may anybody be."""
        self.worst: dict[str, float] = {}
        """Seconds for which each such thing was seen."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def broken(self) -> list[str]:
        """What was left for longer than it may be."""
        limit = LEFT_AT_MOST + _LEEWAY + self._own
        return [f"{what} for {s:.1f} s" for what, s in self.worst.items() if s > limit]

    async def _look_on(self) -> None:
        while True:
            now = time.monotonic()
            found = await asyncio.to_thread(self._look)
            self._since = {what: self._since.get(what, now) for what in found}
            for what, since in self._since.items():
                self.worst[what] = max(self.worst.get(what, 0.0), time.monotonic() - since)
            await asyncio.sleep(_EVERY)
            self._own = max(self._own, time.monotonic() - now - _EVERY)

    def _look(self) -> set[str]:
        found = set()
        workers = _workers(self._pid)
        for process in [*_below(self._pid), *_marked(self._home)]:
            with suppress(psutil.Error):
                command = " ".join(process.cmdline())[:60]
                name = f"process {process.pid} ({process.status()}, {command or process.name()})"
                above = {process.pid, *(parent.pid for parent in process.parents())}
                if process.status() == psutil.STATUS_ZOMBIE or not above & workers:
                    found.add(name)
                elif STRAY in " ".join(process.cmdline()):
                    found.add(f"child of a journey {process.pid}")
                elif any(one.status == psutil.CONN_LISTEN for one in process.net_connections()):
                    found.add(f"port of {name}")
        return found | self._scratch()

    def _scratch(self) -> set[str]:
        open_runs = {
            row["run_id"]
            for row in self._home.rows(
                "SELECT run_id FROM slots WHERE reason IS NULL AND result IS NULL"
            )
        }
        folders = [one.name for one in (self._home.state / "scratch").iterdir()]
        return {
            f"recording {name}"
            for name in folders
            if not name.startswith("worker-") and name.rpartition("-")[0] not in open_runs
        }


def _workers(pid: int) -> set[int]:
    with suppress(psutil.Error):
        return {
            child.pid
            for child in psutil.Process(pid).children()
            if "agent.worker" in command_line(child)
        }
    return set()


def _below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _marked(home: Home) -> list[psutil.Process]:
    mark = (home.state / "instance-id").read_text().strip()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found
