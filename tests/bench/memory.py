"""Memory of the supervisor and of workers, idle and in a run."""

from __future__ import annotations

import itertools
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes: the proportional set size shares what is shared, the resident size doesn't."""

    pss: int
    rss: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Samples of each: a worker is its whole tree, driver and browser included."""

    supervisor: list[Size] = field(default_factory=list)
    idle: list[Size] = field(default_factory=list)
    running: list[Size] = field(default_factory=list)


def middle(sizes: list[Size]) -> Size | None:
    """The median of each measure; None without samples."""
    if not sizes:
        return None
    return Size(
        int(statistics.median(size.pss for size in sizes)),
        int(statistics.median(size.rss for size in sizes)),
    )


def largest(sizes: list[Size]) -> Size | None:
    """The largest of each measure; None without samples."""
    if not sizes:
        return None
    return Size(max(size.pss for size in sizes), max(size.rss for size in sizes))


def sample(daemon: int, seconds: float) -> Memory:
    """Look at a daemon for so many seconds; blocks."""
    memory = Memory()
    root = psutil.Process(daemon)
    supervisor = next(p for p in (root, *root.children(recursive=True)) if _runs(p, "agent"))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        memory.supervisor.append(_size([supervisor]))
        for worker in supervisor.children():
            with suppress(psutil.Error):
                if _runs(worker, "agent.worker"):
                    tree = [worker, *worker.children(recursive=True)]
                    # A worker and its driver are two; all else is a browser.
                    (memory.running if len(tree) > 2 else memory.idle).append(_size(tree))
        time.sleep(_EVERY)
    return memory


def tree(pid: int) -> int:
    """Return the proportional set size of a program with everything below it, in bytes."""
    root = psutil.Process(pid)
    return _size([root, *root.children(recursive=True)]).pss


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:  # it has ended, and waits to be reaped
        return False
    return ("-m", module) in itertools.pairwise(command)


def _size(processes: list[psutil.Process]) -> Size:
    pss = rss = 0
    for process in processes:
        with suppress(psutil.Error):
            full = process.memory_full_info()
            pss, rss = pss + full.pss, rss + full.rss
    return Size(pss, rss)
