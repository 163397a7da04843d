"""Which process started which, read in one go: a search for each parent reads all of them anew."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = Path("/proc")


class ProcessTable:
    """The processes of this machine, or of this container, as they stand when it is made."""

    def __init__(self) -> None:
        self._children: defaultdict[int, list[int]] = defaultdict(list)
        for pid, parent in _parents():
            self._children[parent].append(pid)

    def below(self, roots: Iterable[int]) -> set[int]:
        """Return the ids of all processes below these, which are left out themselves."""
        given = set(roots)
        found: set[int] = set()
        waiting = list(given)
        while waiting:
            fresh = [pid for pid in self._children.get(waiting.pop(), ()) if pid not in found]
            found.update(fresh)
            waiting += fresh
        return found - given


def _parents() -> Iterable[tuple[int, int]]:
    if not _PROC.is_dir():
        for process in psutil.process_iter(["ppid"]):
            yield process.pid, process.info["ppid"]
        return
    for name in os.listdir(_PROC):  # noqa: PTH208 - names are all that is wanted
        if name.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                stat = Path(_PROC, name, "stat").read_bytes()
                # A program's name may hold anything, spaces and brackets too.
                yield int(name), int(stat[stat.rindex(b")") + 2 :].split(None, 2)[1])
