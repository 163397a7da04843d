"""Deploys that tools tell of, each noted once however often it is told."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.core.gate import GateOrder

_SAME: Final = 3600.0
"""Seconds for which the same that is told again is the same deploy."""
_MOST: Final = 1000


class Deploys(Protocol):
    """Takes note of deploys."""

    async def note(self, site: str, release: str, at: float, source: str) -> object:
        """Note that a release went out, in Unix seconds, and who told."""
        ...


class DeployNotes:
    """Takes note of a deploy when it is first told: when that is, no tool has to say."""

    def __init__(self, deploys: Deploys, clock: Clock) -> None:
        self._deploys = deploys
        self._clock = clock
        self._noted: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        """When each was, by a clock that never goes back."""

    async def note(self, order: GateOrder, which: str) -> None:
        """Note the deploy that a gate is asked for; ``which`` tells it from the others."""
        key, now = (order.source, order.site, which), self._clock.monotonic()
        if not order.release or now - self._noted.get(key, -_SAME) < _SAME:
            return
        self._noted[key] = now
        self._noted.move_to_end(key)
        if len(self._noted) > _MOST:
            self._noted.popitem(last=False)
        await self._deploys.note(order.site, order.release, self._clock.wall(), order.source)
