"""What goes with a failure: what the page still waited for, and what the agent itself stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.worker.browser.traffic import OpenRequest

_MOST_TOLD = 3
_LONG_ENOUGH = 1.0
"""Seconds after which a request without an end is worth a word."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How things stood when a walk broke off.

    ``open_requests`` begin with the oldest; ``dialogs`` are those that nobody has answered;
    ``stopped`` counts the beacons that the agent stopped until then, by vendor; ``raised`` is what
    the site's own scripts raised and nothing caught.
    """

    open_requests: Sequence[OpenRequest]
    dialogs: Sequence[str]
    stopped: Mapping[str, int]
    raised: Sequence[str] = ()

    def lines(self, *, waited: bool) -> Iterator[str]:
        """Yield what an error is to say besides; ``waited``: it is that something didn't come."""
        for dialog in self.dialogs[:_MOST_TOLD]:
            yield f"a dialog is open, to which the journey gave no answer: {dialog}"
        for error in self.raised[:_MOST_TOLD]:
            yield f"uncaught error on the page: {error}"
        late = [one for one in self.open_requests if one.seconds >= _LONG_ENOUGH]
        if waited and late:
            more = f" and {len(late) - _MOST_TOLD} more" if len(late) > _MOST_TOLD else ""
            yield f"still open: {', '.join(map(str, late[:_MOST_TOLD]))}{more}"
        if self.stopped:
            most_first = sorted(self.stopped.items(), key=lambda one: (-one[1], one[0]))
            counted = (
                name if count == 1 else f"{name} ({count} times)"
                for name, count in most_first[:_MOST_TOLD]
            )
            yield f"beacons that the agent stopped before: {', '.join(counted)}"

    def awaited(self) -> float:
        """Return for how many seconds the site has owed its oldest answer; 0.0: it owes none."""
        return max((one.seconds for one in self.open_requests if one.awaited), default=0.0)

    def facts(self) -> dict[str, Any]:
        """Return all of it as JSON-like data."""
        return {
            "open_requests": [
                {"request": one.what, "seconds": round(one.seconds, 3)}
                for one in self.open_requests
            ],
            "dialogs": list(self.dialogs),
            "stopped_beacons": dict(self.stopped),
        }
