"""One journey's votes in a gate. Pure; moments are seconds on one clock of the caller's."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.gates.sequential_test import Scale


class Standing(Enum):
    """What a journey says of the release so far."""

    OPEN = auto()
    BROKEN = auto()
    GOOD = auto()
    UNMEASURED = auto()
    """It could not be measured, and is walked no more."""


_HOPELESS = 2
"""Walks in a row that measured nothing, after which a journey is walked no more."""


@dataclass(slots=True)
class Ballot:
    """Takes the walks of one journey as they end.

    Walks of one moment share their luck. So once one has failed, none counts that began before
    ``confirm_after`` seconds had passed since its end, whatever it came to: were only failures
    left out, passes of the same moment would outvote them.
    """

    scale: Scale
    confirm_after: float
    weight: float = 0.0
    passes: int = 0
    fails: int = 0
    due_at: float = -inf
    """From when on a walk may begin that is to count."""
    under_way: int = 0
    trouble: str = ""
    """Why the last walk measured nothing."""
    _unmeasured: int = field(default=0)

    @property
    def standing(self) -> Standing:
        """Return what it says."""
        if self.weight >= self.scale.back_at:
            return Standing.BROKEN
        if self.weight <= self.scale.on_at:
            return Standing.GOOD
        return Standing.UNMEASURED if self._unmeasured >= _HOPELESS else Standing.OPEN

    @property
    def counted(self) -> int:
        """How many walks count."""
        return self.passes + self.fails

    @property
    def wanted(self) -> int:
        """How many more walks promote, if they all pass."""
        return self.scale.passes_from(self.weight)

    def passed(self, began: float) -> bool:
        """Take a pass; return whether it counts."""
        self._unmeasured = 0
        if began < self.due_at or self.standing is not Standing.OPEN:
            return False
        self.passes += 1
        self.weight += self.scale.passed
        return True

    def failed(self, began: float, ended: float) -> bool:
        """Take a failure; return whether it counts."""
        self._unmeasured = 0
        if began < self.due_at or self.standing is not Standing.OPEN:
            return False
        self.fails += 1
        self.weight += self.scale.failed
        self.due_at = ended + self.confirm_after
        return True

    def unmeasured(self, why: str) -> None:
        """Take a walk that measured nothing."""
        self._unmeasured += 1
        self.trouble = why
