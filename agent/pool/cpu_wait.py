"""How long the processes of a walk could have run, and had no processor to run on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = Path("/proc")


@dataclass(slots=True)
class CpuWait:
    """Counts for one walk, from the first look at each process on.

    The kernel tells how long a thread was ready to run and waited for its turn (``schedstat``).
    Only main threads are asked: waits of threads beside each other don't add up, and those of one
    are time that the walk lost. Where the kernel doesn't tell, nothing was waited.
    """

    _first: dict[psutil.Process, tuple[float, float]] = field(default_factory=dict)
    """What each had waited, and what it had run, in seconds, when it was first seen."""
    _waited: float = 0.0
    _ran: float = 0.0

    def look(self, processes: Iterable[psutil.Process]) -> None:
        """Take in how things stand now."""
        for process in processes:
            with suppress(psutil.Error, OSError, ValueError, IndexError):
                times = process.cpu_times()
                told = waited_for_cpu(process.pid), times.user + times.system
                waited, ran = self._first.setdefault(process, told)
                self._waited = max(self._waited, told[0] - waited)
                self._ran = max(self._ran, told[1] - ran)

    @property
    def seconds(self) -> float:
        """The longest wait of any; 0 where one of the walk's own ran for longer than that.

        A page that spins takes the turns of all others, where they share one processor: that is
        not the agent's trouble.
        """
        return self._waited if self._waited > self._ran else 0.0


def waited_for_cpu(pid: int) -> float:
    """Return for how many seconds a process's main thread was ready to run and didn't.

    Raises:
        OSError, ValueError, IndexError: the kernel doesn't tell, or there is no such process.

    """
    return int(Path(_PROC, str(pid), "schedstat").read_bytes().split()[1]) / 1e9
