"""What the ended slots of a stretch of time came to."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from agent.core.model import SkipReason
from agent.core.results import Result
from agent.storage.durations import Durations, quantile

_SUSPENDED = (SkipReason.PAUSED, SkipReason.MAINTENANCE)


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
class Walked:
    """How the walk of a slot ended, beyond its result."""

    seconds: float | None = None
    """The duration of a pass that says something about the target."""
    slow: bool = False
    silenced: bool = False
    """Whether ``silence`` held meanwhile."""
    step: str = ""
    """The step that failed."""


@dataclass(slots=True)
class Rollup:
    """Counts of ended slots; those of several stretches of time add up."""

    results: Counter[Result] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    """By reason; an agent that is newer may have known more of them."""
    skipped_at: dict[str, float] = field(default_factory=dict)
    """When the last slot was that was skipped for a reason, in Unix seconds."""
    slow: int = 0
    silenced: int = 0
    durations: Durations = field(default_factory=Counter)
    """Of passes and flakies."""
    steps: Counter[str] = field(default_factory=Counter)
    """Fails by the step that failed."""

    def add(self, other: Self) -> None:
        """Count in what another one has counted."""
        self.results.update(other.results)
        self.skipped.update(other.skipped)
        for reason, at in other.skipped_at.items():
            self.skipped_at[reason] = max(at, self.skipped_at.get(reason, at))
        self.slow += other.slow
        self.silenced += other.silenced
        self.durations.update(other.durations)
        self.steps.update(other.steps)

    @property
    def passed(self) -> int:
        """Slots that were pass or flaky."""
        return self.results[Result.PASS] + self.results[Result.FLAKY]

    @property
    def failed(self) -> int:
        """Slots that were fail."""
        return self.results[Result.FAIL]

    @property
    def slots(self) -> int:
        """All that ended; skipped ones too."""
        return self.results.total() + self.skipped.total()

    @property
    def suspended(self) -> int:
        """Those that a pause or a window stopped."""
        return sum(self.skipped[reason] for reason in _SUSPENDED)

    @property
    def uptime(self) -> float | None:
        """Per cent of the measured slots that passed; None: nothing was measured."""
        return _per_cent(self.passed, self.passed + self.failed)

    @property
    def measured(self) -> float | None:
        """Per cent of all slots that were measured."""
        return _per_cent(self.passed + self.failed, self.slots)

    @property
    def bar(self) -> Bar:
        """All of it in a word."""
        if not self.slots:
            return Bar.UNKNOWN
        if self.failed:
            return Bar.FAIL
        if 2 * self.passed >= self.slots:
            return Bar.FLAKY if self.results[Result.FLAKY] else Bar.PASS
        others = self.slots - self.passed - self.suspended
        return Bar.SUSPENDED if self.suspended >= others else Bar.NOT_MEASURED

    def took(self, share: float) -> float | None:
        """Return the seconds that so large a share of its passes did not exceed, within 5 %."""
        return quantile(self.durations, share)


def _per_cent(part: int, whole: int) -> float | None:
    """Return a share to three decimals, rounded down: 100 is said of all alone."""
    return math.floor(part * 100_000 / whole) / 1000 if whole else None
