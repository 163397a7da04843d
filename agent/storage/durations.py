"""A bounded histogram of durations, from which medians and percentiles are told within 5 %.

Its buckets grow by a tenth each, from a millisecond on, and only those that hold something are
kept. So those of several stretches of time add up to that of all of it.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROWTH: Final = 1.1
_SMALLEST: Final = 0.001
_LARGEST: Final = 72_000.0
"""Seconds above which all are in one bucket."""

Durations = Counter[str]
"""How many durations each bucket holds, by its number: as text, since JSON has no other keys."""


def bucket_of(seconds: float) -> str:
    """Return the bucket of a duration."""
    if seconds <= _SMALLEST:
        return "0"
    return str(round(math.log(min(seconds, _LARGEST) / _SMALLEST, _GROWTH)))


def quantile(durations: Mapping[str, int], share: float) -> float | None:
    """Return the duration, in seconds, that so large a share did not pass; None: there is none."""
    rank = math.ceil(share * sum(durations.values()))
    passed = 0
    for bucket in sorted(map(int, durations)):
        passed += durations[str(bucket)]
        if passed >= rank:
            return round(_SMALLEST * _GROWTH**bucket, 3)
    return None
