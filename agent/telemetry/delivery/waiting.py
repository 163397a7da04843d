"""Waiting on the injected clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from agent.core.clock import Clock


async def within(clock: Clock, seconds: float, work: Coroutine[None, None, object]) -> None:
    """Await ``work``, for ``seconds`` at most; then it is cancelled."""
    tasks = (asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(work))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
