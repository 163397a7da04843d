"""Sending within the size that a collector takes, which it only tells by refusing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.telemetry.delivery.parcel import Parcel
from agent.telemetry.delivery.transport import TooLarge, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.clock import Clock
    from agent.telemetry.delivery.link import Link
    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.spool import Entry
    from agent.telemetry.delivery.transport import Answer

_HOLDS: Final = 600.0
"""Seconds for which a size that was too large is taken to be so still."""
_NONE: Final = 2**63 - 1


class SizedLink:
    """A link that knows what was too large, and sends single payloads that are in pieces."""

    def __init__(self, signal: Signal, link: Link, clock: Clock) -> None:
        self._signal = signal
        self._link = link
        self._clock = clock
        self._parcels: dict[int, Parcel] = {}
        """By the spool's id: payloads of which some pieces may be through."""
        self._limit = _NONE
        self._limit_until = 0.0

    @property
    def limit(self) -> int:
        """Bytes that are known to be too many."""
        if self._clock.monotonic() >= self._limit_until:
            self._limit = _NONE
        return self._limit

    async def send(self, batch: Sequence[Entry]) -> Answer:
        """Deliver these payloads in one request, or the pieces of a single one in several."""
        # Serialised requests hold repeated fields only: put end to end they are one request.
        payload = b"".join(entry.payload for entry in batch)
        if len(batch) > 1:
            answer = await self._link.send(payload)
            if isinstance(answer, TooLarge):
                self._learn(len(payload))
            return answer
        return await self._send_one(batch[0])

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def _send_one(self, entry: Entry) -> Answer:
        parcel = self._parcels.get(entry.id)
        if parcel is None:
            if len(entry.payload) < self.limit:
                answer = await self._link.send(entry.payload)
                if not isinstance(answer, TooLarge):
                    return answer
                self._learn(len(entry.payload))
            parcel = self._parcels[entry.id] = Parcel(self._signal, entry.payload, entry.items)
        answer = await parcel.deliver(self._link.send, self.limit, self._learn)
        if not isinstance(answer, Unavailable):
            del self._parcels[entry.id]
        return answer

    def _learn(self, size: int) -> None:
        self._limit = max(2, min(self.limit, size))
        self._limit_until = self._clock.monotonic() + _HOLDS
