"""How many slots of a stretch of time ended in which word, and the shares that follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Bar(StrEnum):
    """A stretch of time in a word: the worst of it."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FLAKY = "flaky"
    FAIL = "fail"
    NOT_MEASURED = "not_measured"
    """Less than half of it was measured."""
    SUSPENDED = "suspended"
    """As little, and mostly since it was paused or in a window."""
    UNKNOWN = "unknown"
    """No slot ended in it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of ended slots. The first six are of results and of skips; each slot is in one."""

    passed: int = 0
    flaky: int = 0
    failed: int = 0
    not_measured: int = 0
    suspended: int = 0
    """Skipped since a pause or a window stopped them."""
    passed_over: int = 0
    """Skipped for any other reason."""
    slow: int = 0
    silenced: int = 0
    """Walked while ``silence`` held."""

    def __add__(self, other: Self) -> Tally:
        """Count both."""
        return Tally(*(a + b for a, b in zip(self.counts, other.counts, strict=True)))

    @classmethod
    def of_all(cls, counts: Iterable[Sequence[int]]) -> Self:
        """Count all of these, each in the order of the fields."""
        return cls(*map(sum, zip(*counts, strict=True)))

    @property
    def counts(self) -> tuple[int, ...]:
        """All of them, in the order of the fields."""
        return _counts(self)

    @property
    def skipped(self) -> int:
        """Slots that were not walked."""
        return self.suspended + self.passed_over

    @property
    def slots(self) -> int:
        """All that ended."""
        walked = self.passed + self.flaky + self.failed + self.not_measured
        return walked + self.suspended + self.passed_over

    @property
    def good(self) -> int:
        """Those that count as up."""
        return self.passed + self.flaky

    @property
    def uptime(self) -> float | None:
        """Per cent of the measured slots that passed; None: nothing was measured."""
        return _per_cent(self.good, self.good + self.failed)

    @property
    def measured(self) -> float | None:
        """Per cent of all slots that were measured."""
        return _per_cent(self.good + self.failed, self.slots)

    @property
    def bar(self) -> Bar:
        """All of it in a word."""
        return bar_of(self.counts)


_counts = attrgetter(*Tally.__slots__)


def bar_of(counts: Sequence[int]) -> Bar:
    """Put the counts of a tally, in the order of its fields, into a word."""
    passed, flaky, failed, not_measured, suspended, passed_over, *_ = counts
    if failed:
        return Bar.FAIL
    good, others = passed + flaky, not_measured + passed_over
    if not good + others + suspended:
        return Bar.UNKNOWN
    if good >= others + suspended:
        return Bar.FLAKY if flaky else Bar.PASS
    return Bar.SUSPENDED if suspended >= others else Bar.NOT_MEASURED


def _per_cent(part: int, whole: int) -> float | None:
    """Return a share to three decimals, rounded down: 100 is said of all alone."""
    return math.floor(part * 100_000 / whole) / 1000 if whole else None
