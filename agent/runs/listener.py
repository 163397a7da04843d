"""Who follows a run."""

from __future__ import annotations

from typing import Protocol

from agent.pool.walk_listener import WalkListener


class RunListener(WalkListener, Protocol):
    """Follows a run through its attempts. It holds no secrets: those are the engine's."""

    def on_attempt_started(self, number: int) -> None:
        """Take note of an attempt that begins."""
        ...

    def on_rest(self, seconds: float) -> None:
        """Take note of a failure that is confirmed in so many seconds."""
        ...
