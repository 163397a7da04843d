"""A release that went out: when, and how what began near it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WALK: Final = "walk"
"""The source of a release that nobody announced, and that a walk was answered by."""
_MINUTE: Final = 60.0
_EXACT: Final = 120.0
"""Seconds up to which they are told as such."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """A release of a site. Times are Unix seconds."""

    site: str
    release: str
    at: float
    """When it was deployed, or first answered where nobody announced it."""
    source: str = "api"
    """Who told of it: ``api``, a deploy tool's adapter, or ``walk``."""
    url: str = ""
    """Where more is to be read of it."""
    seen_at: float | None = None
    """When it first answered a walk; None: not yet."""

    def before(self, began: float) -> str:
        """Say when something began: ``12 s after release 1.4.3``."""
        seconds, met = began - self.at, self.source == WALK
        if seconds < 0:
            return f"as release {self.release} {'was first seen' if met else 'came'}"
        took = f"{seconds:.0f} s" if seconds < _EXACT else f"{seconds / _MINUTE:.0f} min"
        return f"{took} after release {self.release}{' was first seen' if met else ''}"
