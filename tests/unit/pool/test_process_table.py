"""The table knows all that hangs below a process, however it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from agent.core.child_processes import child_processes
from agent.pool.process_table import ProcessTable

if TYPE_CHECKING:
    from pathlib import Path

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.argv[1], "30"])
print(child.pid, flush=True)
sys.stdin.read()
child.kill()
child.wait()
"""


def test_children_and_theirs(tmp_path: Path) -> None:
    """Children and grandchildren are below; the roots, siblings and parents are not."""
    odd = tmp_path / ") S 1 (x"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(odd)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        me = os.getpid()
        table = ProcessTable()
        below = table.below([me])
        assert {parent.pid, grandchild} <= below
        assert below == {child.pid for child in psutil.Process(me).children(recursive=True)}
        assert table.below([parent.pid]) == {grandchild}
        assert table.below([me, parent.pid, grandchild]) == below - {parent.pid, grandchild}
        assert table.below([2**22 + 1]) == set()
        assert child_processes(parent.pid) == {grandchild}
        assert child_processes(grandchild) == set()
