"""What the agent itself takes of its machine."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Memory in bytes (proportional set size, where the system tells it) and processes."""

    memory: int = 0
    processes: int = 0


def measure() -> Usage:
    """Measure this process and everything below it; takes some milliseconds a process."""
    me = psutil.Process()
    sizes = [_size(process) for process in (me, *me.children(recursive=True))]
    return Usage(sum(sizes), sum(size > 0 for size in sizes))


def _size(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.rss))
