"""The time in which places are taken ahead of the schedule: its slots are not to blame for it."""

from __future__ import annotations


class Ahead:
    """Of one lane and one event loop; moments are seconds on a monotonic clock."""

    def __init__(self) -> None:
        self._walks = 0
        self._since = 0.0
        self._before = 0.0

    def begin(self, now: float) -> None:
        """Note that a walk has taken a place."""
        self._before, self._since = self.seconds(now), now
        self._walks += 1

    def end(self, now: float) -> None:
        """Note that it has given the place back."""
        self._before, self._since = self.seconds(now), now
        self._walks -= 1

    def seconds(self, now: float) -> float:
        """Return for how long there was any such walk, in all, up to now."""
        return self._before + (now - self._since if self._walks else 0.0)
