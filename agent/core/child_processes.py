"""The direct children of a process, as the kernel lists them: far cheaper than a search."""

from __future__ import annotations

from pathlib import Path


def child_processes(pid: int) -> set[int]:
    """Return the ids of a process's children; none where it is gone."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        lists = []
    if lists:
        return {int(child) for one in lists for child in one.split()}
    import psutil

    try:
        return {child.pid for child in psutil.Process(pid).children()}
    except psutil.Error:
        return set()
