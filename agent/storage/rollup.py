"""What the ended slots of a stretch of time came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Self

from agent.core.model import SkipReason
from agent.core.results import Result
from agent.storage.durations import Durations, bucket_of, quantile
from agent.storage.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUSPENDED: Final = frozenset({SkipReason.PAUSED.value, SkipReason.MAINTENANCE.value})
_MOST_STEPS: Final = 50
_COUNTED: Final = {
    Result.PASS: Tally(passed=1),
    Result.FLAKY: Tally(flaky=1),
    Result.FAIL: Tally(failed=1),
    Result.NOT_MEASURED: Tally(not_measured=1),
}


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

    tally: Tally = field(default_factory=Tally)
    skipped: Counter[str] = field(default_factory=Counter)
    """By reason; an agent that is newer may have known more of them."""
    skipped_at: dict[str, float] = field(default_factory=dict)
    """When the last slot was that was skipped for a reason, in Unix seconds."""
    durations: Durations = field(default_factory=Counter)
    """Of passes and flakies."""
    steps: Counter[str] = field(default_factory=Counter)
    """Fails by the step that failed."""

    def walk(self, result: Result, walked: Walked) -> None:
        """Count a slot that was walked."""
        self.tally += replace(_COUNTED[result], slow=walked.slow, silenced=walked.silenced)
        if walked.seconds is not None:
            self.durations[bucket_of(walked.seconds)] += 1
        if walked.step and (walked.step in self.steps or len(self.steps) < _MOST_STEPS):
            self.steps[walked.step] += 1

    def skip(self, reason: str, times: Sequence[float]) -> None:
        """Count slots that were skipped, by their Unix times."""
        number = len(times)
        held = reason in _SUSPENDED
        self.tally += Tally(suspended=number) if held else Tally(passed_over=number)
        self.skipped[reason] += number
        self.skipped_at[reason] = max(*times, self.skipped_at.get(reason, times[0]))

    def add(self, other: Self) -> None:
        """Count in what another one has counted."""
        self.tally += other.tally
        self.skipped.update(other.skipped)
        for reason, at in other.skipped_at.items():
            self.skipped_at[reason] = max(at, self.skipped_at.get(reason, at))
        self.durations.update(other.durations)
        self.steps.update(other.steps)

    def took(self, share: float) -> float | None:
        """Return the seconds that so large a share of its passes did not exceed, within 5 %."""
        return quantile(self.durations, share)
