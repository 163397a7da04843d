"""What the schedule knows of journeys: how often first attempts failed, how long passes took."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from agent.core.results import Result

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_PASSES: Final = 200
"""The last passes, whose durations a release is compared with."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of ``walks`` first attempts, those that failed."""

    walks: int
    failed: int

    @property
    def value(self) -> float:
        """The share of them; 0 where nothing is known."""
        return self.failed / self.walks if self.walks else 0.0


def share(connection: sqlite3.Connection, journey: str, since: float) -> Share:
    """Return how many first attempts failed since a moment, which is in the schedule's own time.

    Closer runs are left out: there are many while something is broken.
    """
    rows = connection.execute(
        "SELECT result, count(*) FROM runs WHERE journey = ? AND ended_at > ? "
        "AND (result = 'pass' OR NOT coalesce(json_extract(document, '$.closer'), 0)) "
        "GROUP BY result",
        (journey, since),
    )
    counts: dict[str, int] = dict(rows.fetchall())
    failed = counts.get(Result.FAIL, 0) + counts.get(Result.FLAKY, 0)
    return Share(failed + counts.get(Result.PASS, 0), failed)


def durations(connection: sqlite3.Connection, journey: str) -> list[float]:
    """Return how long the last passes took, in seconds, the newest first."""
    rows = connection.execute(
        "SELECT json_extract(document, '$.duration') FROM runs "
        "WHERE journey = ? AND result = 'pass' ORDER BY ended_at DESC LIMIT ?",
        (journey, _PASSES),
    )
    return [float(row[0]) for row in rows if row[0] is not None]


def typical(known: Sequence[float]) -> float | None:
    """Return the median of durations; None: there are none."""
    return median(known) if known else None
