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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import structlog

from agent.core.child_processes import child_processes
from agent.pool.process_table import ProcessTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.core.clock import Clock

_log = structlog.get_logger("footfall.workers")

MARK = "FOOTFALL_AGENT"
"""The environment variable that marks every process below an agent, by the agent's id."""

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_AGAIN = 0.02
_KILL_WAIT = 2.0
_KILL_ROUNDS = 5


def become_subreaper() -> None:
    """Make orphaned descendants this process's children, so that none can hide."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


@dataclass(slots=True)
class Workers:
    """The children of this process that somebody waits for, so that nobody else reaps them."""

    pids: set[int] = field(default_factory=set)
    starting: int = 0
    """How many are being started, whose numbers aren't known yet."""


class Tree:
    """The processes below one worker, including those that are no longer below it."""

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)
        self._seen: set[psutil.Process] = {self._root}
        self._household: set[int] = set()

    def note_household(self) -> None:
        """Take what hangs directly below the root now for its own: the driver."""
        self._household = child_processes(self._root.pid)

    async def end_strays(self, clock: Clock) -> int:
        """Kill what a journey started and left; return how many processes that were.

        Those hang below the root beside the driver, or below the driver beside the one
        browser that may be up for the next walk.
        """
        strays = child_processes(self._root.pid) - self._household
        browsers = [child for own in self._household for child in child_processes(own)]
        if len(browsers) > 1:
            strays |= set(browsers)
        trees = [Tree(pid) for pid in strays if psutil.pid_exists(pid)]
        for tree in trees:
            await tree.kill(clock)
        return len(trees)

    def look(self) -> None:
        """Remember what hangs below now, and forget what is gone."""
        self._seen = {process for process in self._seen if process.is_running()}
        known = {process.pid for process in self._seen}
        # What lost its parent hangs elsewhere now, with what is below it.
        for pid in ProcessTable().below(known):
            with suppress(psutil.Error):
                self._seen.add(psutil.Process(pid))

    def processes(self) -> frozenset[psutil.Process]:
        """Return what was seen at the last look."""
        return frozenset(self._seen)

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
            left = self._left()
            if not left or clock.monotonic() > until:
                return left
            await clock.sleep(_LOOK_AGAIN)

    def _left(self) -> set[int]:
        """Return the ids of what still runs, or is dead and still waits to be reaped.

        A process of many threads shows as a zombie before the last of them has ended, and
        can't be reaped until then. Those whose parent is neither here nor in the tree are
        somebody else's; the root has its own waiter.
        """
        parents = {os.getpid(), *(process.pid for process in self._seen)}
        return {
            process.pid
            for process in self._seen
            if process.is_running()
            and (not _is_dead(process) or (process != self._root and _parent(process) in parents))
        }


def reap(pids: Iterable[int]) -> None:
    """Collect zombies among these that are this process's own children."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


async def end_orphans(workers: Workers, clock: Clock) -> None:
    """Kill and reap what hangs below this process without being a worker.

    Only for a subreaper whose children are all workers, or lost descendants of workers.
    """
    until = clock.monotonic() + _KILL_WAIT
    while strays := _orphans(workers):
        for stray in strays:
            with suppress(psutil.Error):
                psutil.Process(stray).kill()
        reap(strays)
        if clock.monotonic() > until:
            _log.error("processes.left", action="kill", pids=sorted(strays))
            return
        await clock.sleep(_LOOK_AGAIN)


def _orphans(workers: Workers) -> set[int]:
    # One that is being started is not known yet by its number.
    return set() if workers.starting else child_processes(os.getpid()) - workers.pids


def kill_leftovers(agent_id: str) -> int:
    """Kill what a killed predecessor with this id left behind; return how many there were."""
    killed = 0
    # Again until none is found: one that is killed may have started another meanwhile.
    for _ in range(_KILL_ROUNDS):
        left = _marked(agent_id)
        if not left:
            break
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=_KILL_WAIT)
        killed += len(left)
    return killed


def _marked(agent_id: str) -> list[psutil.Process]:
    mine = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in mine and _environment(process).get(MARK) == agent_id
    ]


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


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
