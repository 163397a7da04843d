"""What was skipped of late: told by journey and reason, found without looking at what ran."""

import sqlite3
from contextlib import closing

import pytest

from agent.core.model import SkipReason, Slot
from agent.schedule import skips, slots
from agent.schedule.decision import Skip
from agent.schedule.skips import Skipped

AT = 1_700_000_000.0


@pytest.fixture
def table():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(slots.SCHEMA + skips.SCHEMA)
        yield connection


def skip(table, seconds, reason, journey="buy", count=1, place="eu"):
    since = AT + seconds - count + 1 if count > 1 else None
    slot = Slot(journey, place, AT + seconds)
    assert slots.pass_over(table, Skip(slot, reason, count, since))


def test_skips_are_told_by_journey_and_reason(table):
    """Each slot of a row counts, the reason of the newest comes first, what ran is left out."""
    skip(table, 10, SkipReason.DOWN, count=5)
    skip(table, 20, SkipReason.OVERRUN)
    skip(table, 30, SkipReason.DOWN)
    skip(table, 40, SkipReason.LATE, journey="search")
    skip(table, 50, SkipReason.LATE, place="us")
    slots.offer(table, Slot("buy", "eu", AT + 60))
    assert skips.since(table, "eu", AT) == {
        "buy": [
            Skipped(SkipReason.DOWN, 6, AT + 30),
            Skipped(SkipReason.OVERRUN, 1, AT + 20),
        ],
        "search": [Skipped(SkipReason.LATE, 1, AT + 40)],
    }


def test_only_those_of_late(table):
    """What lies before the time asked for is left out; the moment itself is in."""
    skip(table, 10, SkipReason.DOWN)
    skip(table, 20, SkipReason.OVERRUN)
    assert skips.since(table, "eu", AT + 20) == {"buy": [Skipped(SkipReason.OVERRUN, 1, AT + 20)]}
    assert skips.since(table, "eu", AT + 20.001) == {}


def test_what_ran_is_not_looked_at(table):
    """A day has hundreds of thousands of slots: those that were skipped have an index."""
    asked = []
    table.set_trace_callback(asked.append)
    skips.since(table, "eu", AT)
    plan = [row[3] for row in table.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    assert "USING INDEX slots_skipped" in plan[0], plan
