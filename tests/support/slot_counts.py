"""What the slot table adds up to, for rules about all of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.core.model import SkipReason
from agent.core.results import Result

if TYPE_CHECKING:
    import sqlite3


@dataclass(slots=True)
class Counts:
    """A journey's slots since the state folder was made, each counted once."""

    expected: int = 0
    results: dict[Result, int] = field(default_factory=dict)
    skips: dict[SkipReason, int] = field(default_factory=dict)
    in_flight: int = 0


def count_slots(connection: sqlite3.Connection, location: str) -> dict[str, Counts]:
    """Return the totals of each journey that ever had a slot at the location."""
    totals: dict[str, Counts] = defaultdict(Counts)
    for journey, kind, word, total in connection.execute(
        "SELECT journey, kind, word, total FROM slot_totals WHERE location = ?", (location,)
    ):
        if kind == "expected":
            totals[journey].expected = total
        elif kind == "result":
            totals[journey].results[Result(word)] = total
        else:
            totals[journey].skips[SkipReason(word)] = total
    for journey, number in connection.execute(
        "SELECT journey, count(*) FROM slots "
        "WHERE location = ? AND state IN ('offered', 'running') GROUP BY journey",
        (location,),
    ):
        totals[journey].in_flight = number
    return dict(totals)
