"""Whether somebody sets the machine's wall clock while the agent runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.core.clock import Clock

_log = structlog.get_logger("footfall.daemon")

_LOOK = 1.0
"""Seconds between two looks."""
_SET = 1.0
"""Seconds by which a clock moves at once where it was set, and isn't only held to its pace."""


async def watch(clock: Clock, set_back: Callable[[float, float], Awaitable[None]]) -> NoReturn:
    """Tell the log of each time that the clock is set, for ever.

    Where it was set back ``set_back`` hears by how many seconds, and the Unix time since. A
    suspended machine looks like a clock that was set forward.
    """
    off = clock.wall() - clock.monotonic()
    while True:
        await clock.sleep(_LOOK)
        now = clock.wall()
        moved = now - clock.monotonic() - off
        off += moved
        if abs(moved) >= _SET:
            way = "back" if moved < 0 else "forward"
            _log.warning("clock.set", action="look", way=way, seconds=round(abs(moved), 1))
        if moved <= -_SET:
            await set_back(-moved, now)
