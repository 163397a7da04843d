"""What becomes of one signal's telemetry, for the log and for who asks after the agent's health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from agent.core.clock import SteadyTime

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.telemetry.delivery.signals import Signal

_LOG_EVERY: Final = 60.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loss:
    """Items that were lost. ``since`` and ``last`` are steady time; ``reason`` is of the last."""

    since: float
    last: float
    items: int
    reason: str


def more_lost(before: Loss | None, items: int, reason: str, now: float) -> Loss:
    """Return what was lost by now, in steady time, with so many items more."""
    if before is None:
        return Loss(now, now, items, reason)
    return Loss(before.since, now, before.items + items, reason)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing is delivered. ``since`` is steady time; ``refused``: it was, and is kept."""

    since: float
    reason: str
    refused: bool


class Report:
    """Tells of one lane: each kind of event once a minute at most, with all that was lost."""

    def __init__(self, signal: Signal, clock: Clock) -> None:
        self._signal = signal
        self._time = SteadyTime(clock)
        self._quiet_until: dict[str, float] = {}
        self._untold: dict[str, int] = {}
        self.trouble: Trouble | None = None
        """Why nothing is delivered now; None where it is, or nothing was to be."""
        self.loss: Loss | None = None
        """What was lost since the agent started."""

    def on_taken(self) -> None:
        """Note that the collector takes what it is sent."""
        trouble, self.trouble = self.trouble, None
        if trouble is not None and "telemetry.kept" in self._quiet_until:
            _log.info("telemetry.delivered", action="send", signal=self._signal.value)

    def on_kept(self, reason: str, *, refused: bool = False) -> None:
        """Note that nothing could be delivered, and that what was tried stays on disk."""
        since = self.trouble.since if self.trouble else self._time.now()
        # Refused and then not answered for is refused still: that is what a person must mend.
        refused = refused or (self.trouble is not None and self.trouble.refused)
        self.trouble = Trouble(since, reason, refused)
        self._warn("telemetry.kept", reason)

    def on_lost(self, event: str, items: int, reason: str) -> None:
        """Note that items are lost for good."""
        self.loss = more_lost(self.loss, items, reason, self._time.now())
        self._warn(event, reason, items)

    def _warn(self, event: str, reason: str, lost: int = 0) -> None:
        self._untold[event] = self._untold.get(event, 0) + lost
        now = self._time.passed()
        if now < self._quiet_until.get(event, now):
            return
        self._quiet_until[event] = now + _LOG_EVERY
        lost = self._untold.pop(event)
        values = {"lost": lost} if lost else {}
        _log.warning(event, action="send", signal=self._signal.value, reason=reason, **values)
