"""Stopping what a page does, for as long as the agent looks at itself.

A page that floods its browser slows whatever else is loaded in it. So that its weight isn't
taken for the agent's own illness, the processes that run the journey's pages stand still
meanwhile: what is slow then is the agent, its driver, its browser or its machine.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_RENDERER = "--type=renderer"


@asynccontextmanager
async def pages_at_rest() -> AsyncIterator[None]:
    """Stop every renderer below this process while the block runs.

    Those that start meanwhile run, the canary's own among them.
    """
    stopped = await asyncio.to_thread(_renderers)
    for process in stopped:
        _signal(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            _signal(process, signal.SIGCONT)


def _renderers() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if _RENDERER in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue  # it is gone
    return found


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except (psutil.Error, OSError):
        return  # it is gone
