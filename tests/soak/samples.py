"""What an agent holds at one moment: memory, descriptors, threads, processes, bytes on disk."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.daemon import Home


@dataclass(frozen=True, slots=True)
class Sample:
    """All but ``processes`` and the bytes on disk are of the supervisor alone."""

    at: float
    """Seconds from the first one."""
    runs: int
    """Results until now."""
    rss: int
    uss: int
    fds: int
    threads: int
    processes: int
    """All below the supervisor but Chromium's helpers, of which each page has its own number."""
    scratch: int
    """Bytes in the scratch and temporary folders."""
    artifacts: int
    state: int
    """Bytes in the state folder, without those two."""


def take(home: Home, pid: int, at: float) -> Sample:
    """Look at a daemon; blocks for some milliseconds a process."""
    process = psutil.Process(pid)
    memory = process.memory_full_info()
    scratch = bytes_in(home.state / "scratch")
    artifacts = bytes_in(home.state / "artifacts")
    return Sample(
        at=round(at, 1),
        runs=sum(home.totals("result").values()),
        rss=memory.rss,
        uss=memory.uss,
        fds=process.num_fds(),
        threads=process.num_threads(),
        processes=sum(not _helps(child) for child in process.children(recursive=True)),
        scratch=scratch + bytes_in(home.path / "tmp"),
        artifacts=artifacts,
        state=bytes_in(home.state) - scratch - artifacts,
    )


def _helps(process: psutil.Process) -> bool:
    try:
        return any(word.startswith("--type=") for word in process.cmdline())
    except psutil.ZombieProcess:
        return False
    except psutil.NoSuchProcess:
        return True


def bytes_in(folder: Path) -> int:
    """Return the size of all files below a folder that others write to meanwhile."""
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(above, name)).st_size  # noqa: PTH118 - a hot loop
    return total
