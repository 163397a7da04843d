"""How long a walk's processes waited for a processor."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import psutil
import pytest

from agent.pool import cpu_wait
from agent.pool.cpu_wait import CpuWait, waited_for_cpu

if TYPE_CHECKING:
    from pathlib import Path

BURN = """
import sys, time
print(flush=True)
sys.stdin.readline()
while time.process_time() < 0.4:
    pass
print(flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waited")
def test_who_shares_a_processor_waits_for_it() -> None:
    """Four that would run, on one processor, wait for longer than they run; one that only waits
    for something to come waits for no processor."""
    one = {min(os.sched_getaffinity(0))}
    with ExitStack() as stack:
        burning = []
        for _ in range(5):
            started = subprocess.Popen(
                [sys.executable, "-S", "-c", BURN],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            stack.enter_context(started)
            stack.callback(started.kill)
            started.stdout.readline()
            os.sched_setaffinity(started.pid, one)
            burning.append(started)
        *burning, resting = burning
        busy, idle = CpuWait(), CpuWait()
        processes = [psutil.Process(each.pid) for each in burning]
        busy.look(processes)
        idle.look([psutil.Process(resting.pid)])
        assert busy.seconds == idle.seconds == 0.0
        for each in burning:
            each.stdin.write(b"\n")
        for each in burning:
            each.stdout.readline()
        busy.look(processes)
        idle.look([psutil.Process(resting.pid)])
        assert busy.seconds > 0.4
        assert idle.seconds < busy.seconds / 4


class Times(NamedTuple):
    user: float
    system: float = 0.0


@dataclass(eq=False)
class Told:
    """A process of which a test says what it ran."""

    pid: int
    ran: float

    def cpu_times(self) -> Times:
        return Times(self.ran)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Processes of which a test says what they waited and ran."""
    monkeypatch.setattr(cpu_wait, "_PROC", tmp_path)

    def tell(pid: int, waited: float, ran: float) -> Told:
        (tmp_path / str(pid)).mkdir(exist_ok=True)
        (tmp_path / str(pid) / "schedstat").write_text(f"{int(ran * 1e9)} {int(waited * 1e9)} 9\n")
        return Told(pid, ran)

    return tell


def test_waits_of_several_do_not_add_up(told) -> None:
    """The longest counts, from the first look on, and one that has ended keeps its own."""
    wait = CpuWait()
    first, second = told(1, 10.0, 1.0), told(2, 20.0, 1.0)
    wait.look([first, second])
    assert wait.seconds == 0.0
    told(1, 13.0, 1.5)
    told(2, 22.0, 1.5)
    wait.look([first, second])
    assert wait.seconds == 3.0
    wait.look([second])
    assert wait.seconds == 3.0


def test_a_walk_that_uses_its_processor_up_waited_for_none(told) -> None:
    """A page that spins keeps all others of its walk from running: that is the page's doing."""
    wait = CpuWait()
    spins, waits = told(1, 0.0, 0.0), told(2, 0.0, 0.0)
    wait.look([spins, waits])
    told(2, 14.0, 0.5)
    spins.ran = 15.0
    wait.look([spins, waits])
    assert wait.seconds == 0.0


def test_a_kernel_that_does_not_tell(told) -> None:
    """Nothing was waited, and nobody is held up by asking."""
    wait = CpuWait()
    wait.look([psutil.Process()])
    assert wait.seconds == 0.0
    with pytest.raises(OSError, match="schedstat"):
        waited_for_cpu(os.getpid())
