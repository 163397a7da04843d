"""How much a failed and a passed walk weigh, and how much is enough: a sequential test. Pure.

Held against each other are a release as good as the last ones, whose first attempts fail with a
journey's own share ``share``, and one that is broken, of which half the attempts fail. Each walk
adds the logarithm of how much likelier it is of a broken one (Wald's test). In effect two
failed walks are enough to roll back, and five straight passes to promote.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, log
from typing import Final

BROKEN: Final = 0.5
"""The share of attempts that fail at a broken release."""
WRONGLY_BACK: Final = 0.01
"""How likely a good release may be rolled back, by all journeys of a gate together."""
WRONGLY_ON: Final = 0.05
"""How likely a broken one may be promoted."""
LEAST_SHARE: Final = 0.02
MOST_SHARE: Final = 0.2
"""Above it a journey's failures say too little for it to vote."""
_STEP: Final = 0.05
_NEGLIGIBLE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """What walks of one journey weigh: failed above, passed below nothing."""

    failed: float
    passed: float
    back_at: float
    """The weight from which on a release is rolled back."""
    on_at: float
    """The weight down to which it is promoted."""

    def passes_from(self, weight: float) -> int:
        """Return how many straight passes promote from a weight on."""
        return max(0, ceil((weight - self.on_at) / -self.passed))


@cache
def scale(share: float, journeys: int = 1) -> Scale:
    """Return the scale for a share of failed first attempts, of one among so many that vote.

    One that fails for sure is enough, so the more vote the surer each has to be: together they
    err no more often than ``WRONGLY_BACK``, or than one alone does.
    """
    share = min(max(share, LEAST_SHARE), MOST_SHARE)
    failed, passed = log(BROKEN / share), log((1 - BROKEN) / (1 - share))
    back_at, on_at = log((1 - WRONGLY_ON) / WRONGLY_BACK), log(WRONGLY_ON / (1 - WRONGLY_BACK))
    found = Scale(failed, passed, back_at, on_at)
    allowed = max(WRONGLY_BACK, _errs(share, found)) / journeys
    while _errs(share, found) > allowed:
        back_at += _STEP
        found = Scale(failed, passed, back_at, on_at)
    return found


def _errs(share: float, held: Scale) -> float:
    """Return how likely a good release is rolled back, exactly: Wald's bound is far above that."""
    by_fails = {0: 1.0}
    """How likely so many walks have failed by now, and nothing is decided."""
    wrong, walks = 0.0, 0
    while sum(by_fails.values()) > _NEGLIGIBLE:
        walks += 1
        after: dict[int, float] = {}
        for fails, likely in by_fails.items():
            for more, chance in ((1, share), (0, 1 - share)):
                weight = (fails + more) * held.failed + (walks - fails - more) * held.passed
                if weight >= held.back_at:
                    wrong += likely * chance
                elif weight > held.on_at:
                    after[fails + more] = after.get(fails + more, 0.0) + likely * chance
        by_fails = after
    return wrong
