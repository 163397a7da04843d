"""How long a lane waits before it tries again, in seconds."""

from __future__ import annotations

import random
from typing import Final

_FIRST: Final = 1.0
_LONGEST: Final = 30.0
_LONGEST_REQUESTED: Final = 600.0


def back_off(failures: int) -> float:
    """Return how long to wait at most after so many failures in a row."""
    return min(_FIRST * 2.0 ** min(failures, 10), _LONGEST)


def pause_after(failures: int, requested: float | None = None) -> float:
    """Return how long to wait; ``requested`` is what the collector has asked for at least."""
    # Spread, or every agent of a fleet comes back in the same moment.
    pause = back_off(failures) * random.uniform(0.5, 1.0)  # noqa: S311
    return pause if requested is None else max(pause, min(requested, _LONGEST_REQUESTED))
