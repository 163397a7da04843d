"""Repairing the slot table after its file was damaged and what could be read was saved."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from agent.core.model import SkipReason
from agent.schedule import slots
from agent.storage import rollups
from agent.storage.rollup import Rollup, Walked
from agent.storage.rollups import LENGTHS, begin_of

if TYPE_CHECKING:
    import sqlite3

    from agent.storage.rollups import Key


def repair(connection: sqlite3.Connection) -> None:
    """Make cursors and totals agree with the rows, after some of either were lost.

    No slot with a row is decided again. Slots of which only the count was left, or that were
    in flight and have lost their rows, become skips (``down``), so that expected = results +
    skips + in flight holds again. Days and hours that were lost are rolled up anew, as far as
    their slots are left.
    """
    connection.execute(
        "INSERT INTO slot_cursors SELECT journey, location, max(scheduled_at), 1 FROM slots "
        "WHERE true GROUP BY journey, location ON CONFLICT DO UPDATE "
        "SET decided_at = max(decided_at, excluded.decided_at)"
    )
    connection.execute(
        "INSERT INTO slot_totals SELECT journey, location, "
        "iif(state = 'done', 'result', 'skip'), coalesce(result, reason), sum(count) FROM slots "
        "WHERE state IN ('done', 'skipped') GROUP BY 1, 2, 3, 4 "
        "ON CONFLICT DO UPDATE SET total = max(total, excluded.total)"
    )
    ended = (
        "SELECT journey, location, sum(n) AS n FROM ("
        "SELECT journey, location, total AS n FROM slot_totals WHERE kind <> 'expected' UNION ALL "
        "SELECT journey, location, count FROM slots WHERE state IN ('offered', 'running')"
        ") GROUP BY journey, location"
    )
    connection.execute(
        f"INSERT INTO slot_totals SELECT journey, location, 'expected', '', n FROM ({ended}) "  # noqa: S608 - no values
        "WHERE true ON CONFLICT DO UPDATE SET total = max(total, excluded.total)"
    )
    connection.execute(
        "INSERT INTO slot_totals SELECT e.journey, e.location, 'skip', ?, "  # noqa: S608 - as above
        f"e.total - coalesce(d.n, 0) FROM slot_totals e LEFT JOIN ({ended}) d "
        "USING (journey, location) WHERE e.kind = 'expected' AND e.total > coalesce(d.n, 0) "
        "ON CONFLICT DO UPDATE SET total = total + excluded.total",
        (SkipReason.DOWN.value,),
    )
    roll_up(connection)


def roll_up(connection: sqlite3.Connection) -> None:
    """Roll up the slots that are kept, into those days and hours of which nothing is known.

    Of how long their passes took nothing is said.
    """
    found: dict[tuple[Key, int, int], Rollup] = defaultdict(Rollup)
    for ended, result, reason in slots.ended(connection):
        for at in ended.times:
            for length in LENGTHS:
                rollup = found[ended.key, length, begin_of(at, length)]
                if result is not None:
                    rollup.walk(result, Walked())
                else:
                    rollup.skip(reason, [at])
    for (key, length, begin), rollup in found.items():
        rollups.write_missing(connection, key, length, begin, rollup)
