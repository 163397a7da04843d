"""Deploys that tools tell of, each noted once however often it is told."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import structlog

from agent.server.control import Refused

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.core.gate import GateOrder
    from agent.server.deploys import Deploys

_log = structlog.get_logger("footfall.server")

_SAME: Final = 3600.0
"""Seconds for which the same that is told again is the same deploy."""
_MOST: Final = 1000


class DeployNotes:
    """Takes note of a deploy when it is first told: when that is, no tool has to say."""

    def __init__(self, deploys: Deploys, clock: Clock) -> None:
        self._deploys = deploys
        self._clock = clock
        self._noted: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        """When each was, by a clock that never goes back."""

    async def note(self, order: GateOrder, which: str, release: str = "") -> None:
        """Note the deploy that a gate is asked for; ``which`` tells it from the others.

        ``release`` is what went out, where that isn't what has to answer.
        """
        release = release or order.release
        key, now = (order.source, order.site, which), self._clock.monotonic()
        if not release or now - self._noted.get(key, -_SAME) < _SAME:
            return
        try:
            await self._deploys.note(order.site, release, source=order.source)
        except Refused as refusal:
            # Whoever deploys waits for the verdict all the same.
            _log.warning("deploy.not_noted", action="note", site=order.site, error=str(refusal))
            return
        self._noted[key] = now
        self._noted.move_to_end(key)
        if len(self._noted) > _MOST:
            self._noted.popitem(last=False)
