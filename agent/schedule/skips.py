"""Which slots were skipped of late, and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.model import SkipReason
from agent.schedule.plan import floor_ms

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE INDEX IF NOT EXISTS slots_skipped ON slots (scheduled_at, location, journey, reason, count)
    WHERE state = 'skipped';
"""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Slots of one journey that were skipped for one reason."""

    reason: SkipReason
    count: int
    last_at: float
    """Unix seconds of the last of them."""


def since(connection: sqlite3.Connection, location: str, start: float) -> dict[str, list[Skipped]]:
    """Return each journey's skipped slots from a Unix time on, those of the newest reason first.

    A row that stands for several slots counts whole if the last of them is in the time.
    """
    rows = connection.execute(
        "SELECT journey, reason, sum(count), max(scheduled_at) AS last FROM slots "
        "WHERE state = 'skipped' AND scheduled_at >= ? AND location = ? "
        "GROUP BY journey, reason ORDER BY last DESC",
        (floor_ms(start), location),
    )
    found: dict[str, list[Skipped]] = defaultdict(list)
    for journey, reason, count, last in rows:
        found[journey].append(Skipped(SkipReason(reason), count, last / 1000))
    return dict(found)
