"""How much memory is left for another browser, and whether the kernel has killed for it."""

from __future__ import annotations

import functools
from contextlib import suppress
from pathlib import Path

import psutil

_GROUPS = Path("/sys/fs/cgroup")
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, use, and what of the use is cache that goes when asked: version 2, then version 1."""


def free_memory() -> int:
    """Return the bytes that new processes may take: of the machine, or of its control groups.

    The smallest room counts, up to the root: a pod's limit stands above its container's.
    """
    rooms = [int(psutil.virtual_memory().available)]
    for group in _own_groups():
        for limit, usage, cache in _FILES:
            room = _room(group, limit, usage, cache)
            if room is not None:
                rooms.append(room)
    return min(rooms)


def oom_kills() -> int:
    """Return how many processes the kernel has killed for memory in this control group."""
    for group in _own_groups():
        for name in ("memory.events", "memory.oom_control"):
            with suppress(OSError):
                for line in (group / name).read_text().splitlines():
                    word, _, count = line.partition(" ")
                    if word == "oom_kill":
                        return int(count)
    return 0


def _room(group: Path, limit: str, usage: str, cache: str) -> int | None:
    try:
        # Version 2 says "max" where there is no limit; version 1 says a number beyond any memory.
        bound = int((group / limit).read_text())
        used = int((group / usage).read_text())
        words = dict(
            line.split(" ", 1) for line in (group / "memory.stat").read_text().splitlines()
        )
        return max(0, bound - used + int(words.get(cache, 0)))
    except (OSError, ValueError):
        return None


@functools.cache
def _own_groups() -> tuple[Path, ...]:
    """Return the folders of this process's memory groups, its own first, up to the root."""
    groups = []
    lines: list[str] = []
    with suppress(OSError):
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _GROUPS / "memory" if controllers else _GROUPS
        own = root / path.lstrip("/")
        groups += [folder for folder in (own, *own.parents) if folder.is_relative_to(root)]
    # In a container the path may be the host's, which isn't mounted here; then the root is its own.
    return tuple(folder for folder in groups if folder.is_dir())
