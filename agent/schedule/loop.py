"""The loop that turns the ticker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.core.clock import Clock
    from agent.core.model import Journey, SkipReason
    from agent.schedule.decision import Decision
    from agent.schedule.ticker import Ticker
    from agent.schedule.timeline import Timeline

_LONGEST = 1.0
"""Seconds between two ticks at most, so that a step of the clock is seen soon."""
_SHORTEST = 0.001
"""Seconds between two ticks at least: slots lie on whole milliseconds."""


async def run(
    clock: Clock,
    timeline: Timeline,
    ticker: Ticker,
    obstacle: Callable[[Journey], SkipReason | None],
    carry_out: Callable[[list[Decision]], Awaitable[None]],
) -> NoReturn:
    """Tick at every slot's moment, and each second, until cancelled.

    ``carry_out`` gets the decisions of every tick, also when there are none, so that it can
    note that the schedule turns; what it raises ends the loop.
    """
    starting = True
    while True:
        await carry_out(ticker.due(timeline.now(), obstacle, starting=starting))
        starting = False
        pause = ticker.next_tick() - timeline.now()
        await clock.sleep(min(max(pause, _SHORTEST), _LONGEST))
