"""How much of the time journeys stood well of late, and how much of it was measured at all."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.results import Result
from agent.schedule.plan import floor_ms

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Measured:
    """What the ended slots of one journey came to."""

    slots: int
    passed: int
    """Those that were pass or flaky."""
    failed: int

    @property
    def uptime(self) -> float | None:
        """Per cent of the measured slots that passed; None: nothing was measured."""
        return _per_cent(self.passed, self.passed + self.failed)

    @property
    def share(self) -> float | None:
        """Per cent of all slots that were measured."""
        return _per_cent(self.passed + self.failed, self.slots)


def since(connection: sqlite3.Connection, location: str, start: float) -> dict[str, Measured]:
    """Return what each journey's ended slots came to from a Unix time on; skipped ones count.

    A row that stands for several slots counts whole if the last of them is in the time.
    """
    rows = connection.execute(
        "SELECT journey, coalesce(result, ''), sum(count) FROM slots "
        "WHERE scheduled_at >= ? AND location = ? AND state IN ('done', 'skipped') "
        "GROUP BY 1, 2",
        (floor_ms(start), location),
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for journey, result, count in rows:
        found[journey][result] = count
    return {
        journey: Measured(
            slots=sum(counts.values()),
            passed=counts.get(Result.PASS, 0) + counts.get(Result.FLAKY, 0),
            failed=counts.get(Result.FAIL, 0),
        )
        for journey, counts in found.items()
    }


def _per_cent(part: int, whole: int) -> float | None:
    """Return a share to three decimals, rounded down: 100 is said of all alone."""
    return math.floor(part * 100_000 / whole) / 1000 if whole else None
