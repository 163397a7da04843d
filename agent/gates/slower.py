"""Whether a release is clearly slower than what was before it: a rank test. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURE: Final = 3.09
"""Standard deviations that a good release passes once in a thousand times."""
_WORTH: Final = 1.2
"""By which factor it is slower at least for anybody to care."""
_FEWEST: Final = 5, 20
"""Walks of the release, and before it, below which nothing is said."""


def slower(now: Sequence[float], before: Sequence[float]) -> tuple[float, float] | None:
    """Return both medians where ``now`` is clearly slower; seconds.

    By Mann and Whitney: how many pairs of a duration of now and one of before there are in which
    that of now is longer, against what chance would give.
    """
    if len(now) < _FEWEST[0] or len(before) < _FEWEST[1]:
        return None
    n, m = len(now), len(before)
    longer = sum((a > b) + (a == b) / 2 for a in now for b in before)
    deviation = sqrt(n * m * (n + m + 1) / 12)
    medians = median(now), median(before)
    sure = (longer - n * m / 2) / deviation >= _SURE
    return medians if sure and medians[0] >= _WORTH * medians[1] else None
