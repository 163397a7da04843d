"""What the schedule knows of journeys: how often first attempts failed, how long passes took."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from agent.core.results import Result
from agent.gates.sequential_test import LEAST_SHARE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_PASSES: Final = 200
"""The last passes, whose durations a release is compared with."""
_FEW: Final = 20
"""Walks that a past weighs against: of fewer, a single failure says little about the next."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of ``walks`` first attempts, those that failed."""

    walks: int
    failed: int

    @property
    def value(self) -> float:
        """How likely the next one fails: the share of them, the nearer to the least the fewer."""
        return (self.failed + LEAST_SHARE * _FEW) / (self.walks + _FEW)


def share(connection: sqlite3.Connection, journey: str, since: float, judged: str) -> Share:
    """Return how many first attempts failed since a moment, which is in the schedule's own time.

    Closer runs are left out: there are many while something is broken. So is what the release
    ``judged`` answered ("": none is named), or one that broke everything would excuse itself.
    """
    rows = connection.execute(
        "SELECT result, count(*) FROM runs WHERE journey = :journey AND ended_at > :since "
        "AND (result = 'pass' OR NOT coalesce(json_extract(document, '$.closer'), 0)) "
        "AND (:judged = '' OR NOT EXISTS (SELECT 1 FROM json_each(document, "
        "'$.attempts[0].releases') WHERE value = :judged)) GROUP BY result",
        {"journey": journey, "since": since, "judged": judged},
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
