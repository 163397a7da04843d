"""CPU time of a program with everything it started, ended processes included.

A control group of the program's own counts exactly and can be read at any moment. Where
none can be made, the times of the living are added to what the ended ones handed up to a
subreaper above the program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADOPT = Path(__file__).with_name("adopt.py")
_LEAVE = 3.0
"""Seconds that ended programs may take to vanish from their group."""
_V1 = Path("/sys/fs/cgroup/cpuacct")
_V2 = Path("/sys/fs/cgroup")

_BURN = """
import os, sys, time
over, ours = os.pipe()
for orphan in (False, True) * 2:
    child = os.fork()
    if child == 0:
        if not orphan or os.fork() == 0:
            until = time.process_time() + 0.25
            while time.process_time() < until:
                pass
        os._exit(0)
    os.waitpid(child, 0)
os.close(ours)
os.read(over, 1)  # ends when the last of them has
print(flush=True)
sys.stdin.read()
"""
"""Four processes that burn 0.25 s each; two of them outlive their parent."""
BURNED = 1.0


class MeterError(Exception):
    """CPU time can't be told here."""


class Meter:
    """Start programs with ``command``; ``seconds`` is what they have used so far."""

    def __init__(self) -> None:
        self._group = _make_group()
        self._roots: list[int] = []
        self.method = "subreaper" if self._group is None else f"control group {self._kind()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._group is None:
            return
        until = time.monotonic() + _LEAVE
        while time.monotonic() < until:
            # Refused as long as a process is in it; the last of them are just ending.
            with suppress(OSError):
                self._group.rmdir()
                return
            time.sleep(0.05)

    def command(self, command: Sequence[str]) -> list[str]:
        """Return the command under which the program is measured."""
        if self._group is None:
            return adopted(command)
        return [sys.executable, str(_ADOPT), str(self._group), *command]

    def watch(self, pid: int) -> None:
        """Measure the program that was started as this process."""
        self._roots.append(pid)

    def seconds(self) -> float:
        """CPU-seconds, user and system, since the meter was made."""
        if self._group is None:
            return sum(_of_family(root) for root in self._roots)
        if self._kind() == "v1":
            return int((self._group / "cpuacct.usage").read_text()) / 1e9
        usage = dict(line.split() for line in (self._group / "cpu.stat").read_text().splitlines())
        return int(usage["usage_usec"]) / 1e6

    def _kind(self) -> str:
        return "v1" if self._group is not None and _V1 in self._group.parents else "v2"


def adopted(command: Sequence[str]) -> list[str]:
    """Return the command under which a program ends only after all that it started."""
    return [sys.executable, str(_ADOPT), "-", *command]


def of_ended() -> float:
    """CPU-seconds of this process's children that have ended, with all they waited for."""
    times = os.times()
    return times.children_user + times.children_system


def self_check() -> tuple[str, float]:
    """Measure processes that burn a known time; return the method and what it said."""
    with Meter() as meter:
        burner = subprocess.Popen(
            meter.command([sys.executable, "-c", _BURN]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        meter.watch(burner.pid)
        with burner:
            if burner.stdout is not None:
                burner.stdout.readline()
            return meter.method, meter.seconds()


def _make_group() -> Path | None:
    parent = _V1 if (_V1 / "cpuacct.usage").exists() else _V2 / _own_v2_group()
    group = parent / f"footfall-bench-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
        counter = group / ("cpuacct.usage" if parent == _V1 else "cpu.stat")
        if counter.exists() and os.access(group / "cgroup.procs", os.W_OK):
            return group
        group.rmdir()
    except OSError:
        pass
    return None


def _own_v2_group() -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return line[3:].strip().strip("/")
    return ""


def _of_family(root: int) -> float:
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(root)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = member.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
