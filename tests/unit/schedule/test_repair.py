"""After damage the books balance again, and no slot that has a row is decided twice."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.model import SkipReason, Slot
from agent.core.results import Result
from agent.schedule import slots
from agent.schedule.decision import Skip
from agent.schedule.repair import repair
from tests.support.slot_counts import count_slots

PLACE = "here"


def books() -> sqlite3.Connection:
    """Three journeys, each with two results, three skipped slots, one in flight, and one that
    another replica has."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(slots.SCHEMA)
    for journey in ("a", "b", "c"):
        for at in (10, 20, 30):
            run_id = slots.offer(connection, Slot(journey, PLACE, at))
            assert slots.start(connection, run_id)
            if at < 30:
                assert slots.finish(connection, run_id, Result.PASS)
        late = Skip(Slot(journey, PLACE, 60), SkipReason.LATE, 3, 40)
        assert slots.pass_over(connection, late)
        assert slots.elsewhere(connection, Slot(journey, PLACE, 70))
    return connection


def check(connection: sqlite3.Connection) -> None:
    for journey, counts in count_slots(connection, PLACE).items():
        ended = sum(counts.results.values()) + sum(counts.skips.values())
        assert counts.expected == ended + counts.in_flight, (journey, counts)


def test_sound_books_stay_as_they_are() -> None:
    """Where nothing is lost nothing changes."""
    connection = books()
    before = list(connection.iterdump())
    repair(connection)
    assert list(connection.iterdump()) == before


@settings(max_examples=60)
@given(st.data())
def test_whatever_was_lost_the_books_balance(data) -> None:
    """Any rows of any table may be gone: expected = results + skips + in flight again, totals
    that were left are not smaller, and no slot with a row can be offered again."""
    connection = books()
    for table in ("slots", "slot_cursors", "slot_totals"):
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        for row in rows:
            if data.draw(st.booleans()):
                where = " AND ".join(f"{name} IS ?" for name in row.keys())  # noqa: SIM118 - a row yields its values
                connection.execute(f"DELETE FROM {table} WHERE {where}", tuple(row))
    left = count_slots(connection, PLACE)
    kept = connection.execute("SELECT journey, scheduled_at FROM slots").fetchall()
    repair(connection)
    check(connection)
    repaired = count_slots(connection, PLACE)
    assert all(repaired[name].expected >= counts.expected for name, counts in left.items())
    for journey, at in kept:
        assert slots.offer(connection, Slot(journey, PLACE, at / 1000)) is None
    before = list(connection.iterdump())
    repair(connection)
    assert list(connection.iterdump()) == before


@pytest.mark.parametrize("table", ["slots", "slot_cursors", "slot_totals"])
def test_a_whole_table_lost(table) -> None:
    """Each table can be missing as a whole."""
    connection = books()
    connection.execute(f"DELETE FROM {table}")
    repair(connection)
    check(connection)


@settings(max_examples=40)
@given(st.data())
def test_days_and_hours_that_were_lost_are_rolled_up_anew(data) -> None:
    """As far as their slots are left, and what was not lost is not counted twice."""
    connection = books()
    rolled_up = "SELECT * FROM rollups ORDER BY journey, length, at"
    before = [tuple(row) for row in connection.execute(rolled_up)]
    for journey, length in {(row[0], row[2]) for row in before}:
        if data.draw(st.booleans()):
            connection.execute(
                "DELETE FROM rollups WHERE journey = ? AND length = ?", (journey, length)
            )
    repair(connection)
    assert [tuple(row) for row in connection.execute(rolled_up)] == before
