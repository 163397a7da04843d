"""A worker's whole tree of processes: measured, killed and reaped.

The driver and the browsers stand in sessions of their own, so a process group won't do:
descendants are walked, remembered while they are seen, and, with this process as the
subreaper, found again among its own children when their parents have died.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.clock import Clock

MARK = "FOOTFALL_AGENT"
"""The environment variable that marks every process below an agent, by the agent's id."""

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_AGAIN = 0.02
_KILL_WAIT = 2.0


def become_subreaper() -> None:
    """Make orphaned descendants this process's children, so that none can hide."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Tree:
    """The processes below one worker, including those that are no longer below it."""

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)
        self._seen: set[psutil.Process] = {self._root}

    def look(self) -> None:
        """Remember what hangs below now, and forget what is gone."""
        self._seen = {process for process in self._seen if process.is_running()}
        below = set(_children(self._root))
        # What lost its parent hangs elsewhere now, and each look at /proc is dear.
        for process in self._seen - below - {self._root}:
            below.update(_children(process))
        self._seen |= below

    def memory(self, bound: int) -> int:
        """Return the proportional set size of the tree in bytes, at least where it matters.

        Reading it is dear, and the resident size is never smaller: where that stays within
        ``bound`` it is returned instead.
        """
        resident = sum(_resident(process) for process in self._seen)
        if resident <= bound:
            return resident
        return sum(_proportional(process) for process in self._seen)

    async def kill(self, clock: Clock) -> set[int]:
        """Kill and reap everything; return the ids of what would not go within 2 s."""
        until = clock.monotonic() + _KILL_WAIT
        while True:
            # The root goes first, so that nobody is left who starts more.
            for process in sorted(self._seen, key=lambda p: p != self._root):
                with suppress(psutil.Error):
                    process.kill()
            self.look()
            reap(process.pid for process in self._seen if process != self._root)
            alive = {p for p in self._seen if p.is_running() and not _is_dead(p)}
            if not alive or clock.monotonic() > until:
                return {process.pid for process in alive}
            await clock.sleep(_LOOK_AGAIN)


def reap(pids: Iterable[int]) -> None:
    """Collect zombies among these that are this process's own children."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def reap_orphans(workers: set[int]) -> None:
    """Collect every zombie child that isn't a worker; those have somebody waiting for them."""
    for child in psutil.Process().children():
        if child.pid not in workers and _is_dead(child):
            reap([child.pid])


def kill_leftovers(agent_id: str) -> int:
    """Kill what a killed predecessor with this id left behind; return how many there were."""
    mine = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    left = [
        process
        for process in psutil.process_iter()
        if process.pid not in mine and _environment(process).get(MARK) == agent_id
    ]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=_KILL_WAIT)
    return len(left)


def oom_kills() -> int:
    """Return how many processes the kernel has killed for memory in this control group."""
    for name in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        with suppress(OSError):
            for line in Path(name).read_text().splitlines():
                word, _, count = line.partition(" ")
                if word == "oom_kill":
                    return int(count)
    return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return True
