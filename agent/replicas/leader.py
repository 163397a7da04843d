"""Which replica does what must happen once. Losing it delays, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from agent.queue import key_names
from agent.queue.shared import Away

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.queue.shared import Store

_log = structlog.get_logger("footfall.replicas")

LEASE: Final = 10.0
"""Seconds for which one leads without being confirmed."""
_EVERY: Final = 3.0
_MARGIN: Final = 1.0
"""Seconds by which one stops before another may begin: whoever has looked also acts."""


class Leader:
    """Leads where nobody else does; ``run`` keeps at it until it is cancelled."""

    def __init__(self, store: Store, instance: str, clock: Clock) -> None:
        self._store = store
        self._value = instance.encode()
        self._clock = clock
        self._revision: int | None = None
        self._until = self._until_wall = 0.0
        self._told = False

    @property
    def is_leader(self) -> bool:
        """Whether this replica leads now.

        By its own clocks, asked anew each time: a process that was stopped, or whose machine was
        suspended, knows at once that its lease is over.
        """
        wall = self._clock.wall()
        return (
            self._clock.monotonic() < self._until
            and self._until_wall - LEASE <= wall < self._until_wall
        )

    async def run(self) -> None:
        """Lead, or wait to, until cancelled; then let another lead at once."""
        try:
            while True:
                with suppress(Away):  # the lease runs out by itself
                    await self.step()
                self._tell()
                await self._clock.sleep(_EVERY)
        finally:
            await self._give_up()

    async def step(self) -> None:
        """Prolong the lease, or take one that is free.

        Raises:
            Away: the server can't be reached.

        """
        asked, asked_wall = self._clock.monotonic(), self._clock.wall()
        if self._revision is not None:
            self._revision = await self._store.update(
                key_names.LEADER, self._value, self._revision, ttl=LEASE
            )
        else:
            self._revision = await self._take()
        if self._revision is None:
            self._until = 0.0
        else:
            self._until = asked + LEASE - _MARGIN
            self._until_wall = asked_wall + LEASE - _MARGIN

    async def _take(self) -> int | None:
        revision = await self._store.create(key_names.LEADER, self._value, ttl=LEASE)
        if revision is not None:
            return revision
        entry = await self._store.get(key_names.LEADER)
        if entry is None or entry.value != self._value:
            return None
        # Of this very replica before it was started again, or of a question whose answer was lost.
        return await self._store.update(key_names.LEADER, self._value, entry.revision, ttl=LEASE)

    async def _give_up(self) -> None:
        self._until = 0.0
        if self._revision is not None:
            with suppress(Away):
                await self._store.delete(key_names.LEADER, self._revision)

    def _tell(self) -> None:
        if self.is_leader != self._told:
            self._told = self.is_leader
            _log.info("leader.changed", action="lead", leads=self._told)
