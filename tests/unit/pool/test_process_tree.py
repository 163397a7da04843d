"""A worker's tree is killed whole and reaped: with real processes, which cost nothing."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import psutil
import pytest

from agent.core.clock import SystemClock
from agent.pool.process_tree import Tree, Workers, become_subreaper, end_orphans
from tests.support.daemon import until

SLEEP = "import time; time.sleep(60)"
DYING = """
import ctypes, os, threading, time
if os.fork() == 0:
    held = b"x" * 2**29
    threading.Thread(target=time.sleep, args=(60,)).start()
    ctypes.CDLL(None).pthread_exit(None)
time.sleep(60)
"""
"""Has a child whose first thread is over: it looks like a zombie and can't be reaped yet.

Memory makes its end last a moment, as a browser's does.
"""
LOST = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep(float(sys.argv[1]))
"""
"""Has a descendant whose parent is gone."""


def start(source: str, *arguments: str) -> psutil.Popen:
    return psutil.Popen([sys.executable, "-c", source, *arguments])


@pytest.fixture(autouse=True)
def _subreaper() -> None:
    become_subreaper()


def status_of(process: psutil.Process) -> str:
    """Return how it stands; "" where it is gone."""
    with suppress(psutil.Error):
        return str(process.status())
    return ""


def below(process: psutil.Process) -> list[psutil.Process]:
    return process.children(recursive=True)


async def test_who_looks_dead_but_is_not_is_waited_for() -> None:
    """A process whose first thread has ended is reaped too, once the others have."""
    root = start(DYING)
    await until(lambda: [status_of(one) for one in below(root)] == [psutil.STATUS_ZOMBIE])
    (dying,) = below(root)
    tree = Tree(root.pid)
    tree.look()
    assert await tree.kill(SystemClock()) == set()
    assert not psutil.pid_exists(dying.pid)
    root.wait()


async def test_orphans_are_ended_but_no_workers() -> None:
    """What has lost its parent ends and is reaped; a worker, and any child while one is being
    started, is left alone."""
    mine = {child.pid for child in psutil.Process().children()}
    worker, parent = start(SLEEP), start(LOST, "0")
    parent.wait()
    workers = Workers(mine | {worker.pid}, starting=1)

    def orphans() -> set[int]:
        return {child.pid for child in psutil.Process().children()} - workers.pids

    assert len(orphans()) == 1
    await end_orphans(workers, SystemClock())
    assert len(orphans()) == 1
    workers.starting = 0
    await end_orphans(workers, SystemClock())
    assert orphans() == set()
    assert worker.is_running()
    worker.kill()
    worker.wait()


HOUSE = """
import signal, subprocess, sys, time
def take(*_):
    subprocess.Popen([sys.executable, "-c", sys.argv[1]])
signal.signal(signal.SIGUSR1, take)
take()
while True:
    time.sleep(60)
"""
CHILD = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"


async def test_strays_are_told_from_the_household() -> None:
    """What hung directly below the root when it settled stays, with its one child; what came
    later goes, with all below it."""
    root = start(HOUSE, CHILD)
    tree = Tree(root.pid)
    await until(lambda: len(below(root)) == 2)
    household = set(below(root))
    tree.note_household()
    assert await tree.end_strays(SystemClock()) == 0
    root.send_signal(signal.SIGUSR1)
    await until(lambda: len(below(root)) == 4)
    assert await tree.end_strays(SystemClock()) == 1
    assert {one for one in below(root) if status_of(one) != psutil.STATUS_ZOMBIE} == household
    tree.look()
    assert await tree.kill(SystemClock()) == set()
    root.wait()
