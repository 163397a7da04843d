"""Starts a program so that the CPU time of all it ever starts can be told.

``adopt.py GROUP COMMAND…`` enters the control group (a folder) and becomes the command.
With ``-`` for the group it stays as the command's parent and the subreaper of all below,
so that the time of every process that ends is handed up to it.

Stands alone, without the suite's packages, because it runs where the program will.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _become(group: str, command: list[str]) -> None:
    (Path(group) / "cgroup.procs").write_text(str(os.getpid()))
    os.execvp(command[0], command)


def _raise_family(command: list[str]) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execvp(command[0], command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, number))
    code = 0
    with suppress(ChildProcessError):
        while True:
            pid, status = os.wait()
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
    return code


if __name__ == "__main__":
    if sys.argv[1] == "-":
        sys.exit(abs(_raise_family(sys.argv[2:])))
    _become(sys.argv[1], sys.argv[2:])
