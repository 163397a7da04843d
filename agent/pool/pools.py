"""The workers of an agent: those that walk in browsers, and those that only call."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.pool.pool import Pool

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from agent.core.results import AttemptRecord
    from agent.pool.process import Spawn
    from agent.pool.recycling import PoolOptions
    from agent.pool.stops import Stop
    from agent.pool.walk_listener import Answers, WalkListener
    from agent.protocol.messages import Walk


class Pools:
    """Hands each walk to workers of its kind.

    Those without a browser are started when the first such walk comes, as many as walk at once,
    up to the number of the others. What a page leaves in a driver is not left in theirs, so they
    are not replaced after a number of runs.
    """

    def __init__(
        self, options: PoolOptions, spawn: Spawn, on_restart: Callable[[str], None]
    ) -> None:
        numbers = itertools.count(1)
        self.browsers = Pool(options, spawn, on_restart, numbers)
        # Lost processes are looked for by one of the two, which finds those of both.
        on_demand = replace(options, max_runs=sys.maxsize, adopt_orphans=False, on_demand=True)
        self.calls = Pool(on_demand, _without_browser(spawn), on_restart, numbers)

    async def start(self) -> None:
        """Start the workers that are always there; they come up in the background."""
        await self.browsers.start()
        await self.calls.start()

    async def stop(self) -> None:
        """Kill every worker with all that hangs below it."""
        await self.calls.stop()
        await self.browsers.stop()

    async def abort(self, why: str) -> None:
        """End every walk under way, each with what is known of it, and begin no other."""
        await self.calls.abort(why)
        await self.browsers.abort(why)

    @property
    def monitors(self) -> list[asyncio.Task[None]]:
        """The tasks that must live as long as the pools; one that ends early is a fault."""
        return [self.browsers.monitor, self.calls.monitor]

    def replace_spawn(self, spawn: Spawn) -> None:
        """Start workers differently from now on; those that walk end as they began."""
        self.browsers.replace_spawn(spawn)
        self.calls.replace_spawn(_without_browser(spawn))

    def states(self) -> dict[str, int]:
        """Return how many workers of both kinds are idle, busy and starting."""
        calls = self.calls.states()
        return {state: count + calls[state] for state, count in self.browsers.states().items()}

    @property
    def trouble(self) -> str:
        """Why the last worker or browser would not start; empty where all is well."""
        return self.browsers.trouble or self.calls.trouble

    async def walk(
        self,
        order: Walk,
        listener: WalkListener,
        answers: Answers,
        stop: Stop,
        avoid: int | None = None,
    ) -> AttemptRecord:
        """Walk once, in a worker of the walk's kind; see ``Pool.walk``."""
        pool = self.browsers if order.journey.browser else self.calls
        return await pool.walk(order, listener, answers, stop, avoid)

    async def rest(self, seconds: float) -> None:
        """Let time pass between two walks of a run; less where there can be no other."""
        await self.browsers.rest(seconds)

    async def wake(self) -> None:
        """Have those that wait for a worker see whether they are to end."""
        await self.browsers.wake()
        await self.calls.wake()


def _without_browser(spawn: Spawn) -> Spawn:
    return replace(spawn, configure=replace(spawn.configure, browser=False))
