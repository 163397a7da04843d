"""What a deploy asks for: a verdict on a release."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHIN = 10.0
"""Seconds in which a verdict is wanted where nothing else is said."""
BASELINE = 86_400.0
"""Seconds of a journey's own past that it is held to where nothing else is said."""


class GateVerdict(StrEnum):
    """What a gate came to."""

    PENDING = "pending"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    ERROR = "error"
    """Nobody knows: what would have told could not be measured."""


@dataclass(frozen=True, slots=True)
class GateOrder:
    """A verdict that is asked for. Durations are seconds."""

    site: str
    journeys: tuple[str, ...] = ()
    """Those that vote; none: all of the site that are enabled."""
    release: str = ""
    """The release that has to answer; "": whichever does."""
    url: str = ""
    """Where the release answers, as an origin; "": at the site's own address."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent to first parties besides, such as the one that pins a canary."""
    within: float = WITHIN
    baseline: float = BASELINE
    source: str = "api"
    """Who asks: ``api``, or the adapter."""


@dataclass(frozen=True, slots=True)
class GateEnd:
    """A gate that has its verdict. Times are Unix seconds."""

    gate_id: str
    order: GateOrder
    location: str
    verdict: GateVerdict
    reasons: tuple[str, ...]
    asked_at: float
    ended_at: float
    trace_id: str
    span_id: str

    @property
    def seconds(self) -> float:
        """From the request to the verdict."""
        return max(0.0, self.ended_at - self.asked_at)
