"""The seam between a lane and the wire, and what an attempt to deliver can come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from agent.telemetry.delivery.signals import Signal


@dataclass(frozen=True, slots=True)
class Accepted:
    """The collector took the payload, all but ``rejected`` items of it."""

    rejected: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Not now: try again, not before ``after`` seconds where the collector said so.

    It says nothing against the payload: nobody was there, it wasn't a collector that answered,
    or one that is busy, or that doesn't know the sender.
    """

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The collector won't have this payload. Whether it would have any other is not known."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The payload has more bytes than are taken here: smaller ones may pass."""

    reason: str


Answer: TypeAlias = Accepted | Unavailable | Refused | TooLarge


class Transport(Protocol):
    """Delivers payloads to one target. Made for HTTP and for gRPC."""

    async def send(self, signal: Signal, payload: bytes) -> Answer:
        """Deliver one serialised request. Never raises for what the network or peer does."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
