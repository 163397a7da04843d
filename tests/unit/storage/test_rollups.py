"""The roll-ups' table: bounded whatever the clock says, and each stretch in its own row."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from agent.core.results import Result
from agent.storage import rollups
from agent.storage.rollup import Walked
from agent.storage.rollups import DAY, HOUR
from agent.storage.tally import Tally

KEY = "buy", "eu"
NOW = 1_700_000_000.0
EVER = 0.0, 1e11


@pytest.fixture
def table():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(rollups.SCHEMA)
        yield connection


def walk(table, at, result=Result.PASS, key=KEY, **walked):
    rollups.add_walk(table, key, at, result, Walked(**walked))


def test_a_slot_is_in_its_hour_and_in_its_utc_day(table):
    """The last moment before midnight is not the next day's."""
    midnight = NOW // DAY * DAY
    walk(table, midnight - 0.001, seconds=2.0)
    walk(table, midnight, Result.FAIL, step="Pay", silenced=True)
    rollups.add_skips(table, KEY, [midnight - 60, midnight + 60], "paused")
    days = rollups.read(table, KEY, DAY, EVER)
    assert [day.tally for day in days.values()] == [
        Tally(passed=1, suspended=1),
        Tally(failed=1, suspended=1, silenced=1),
    ]
    assert days[midnight].steps == {"Pay": 1}
    assert days[midnight - DAY].took(0.5) == pytest.approx(2.0, rel=0.05)
    assert set(rollups.read(table, KEY, HOUR, EVER)) == {midnight - HOUR, midnight}
    assert rollups.skips(table, KEY, DAY, EVER) == [("paused", 2, midnight + 60)]
    assert rollups.counts(table, KEY, DAY, EVER) == {
        at: day.tally.counts for at, day in days.items()
    }


def test_places_and_journeys_are_apart(table):
    """Each has its own."""
    walk(table, NOW)
    walk(table, NOW, key=("search", "eu"))
    walk(table, NOW, key=("buy", "us"))
    assert [day.tally for day in rollups.read(table, KEY, DAY, EVER).values()] == [Tally(passed=1)]
    assert rollups.versions(table, "eu") == {"buy": 1, "search": 1}


def test_each_change_has_a_version_of_its_own(table):
    """So what was read of a journey is good until then."""
    walk(table, NOW)
    before = rollups.versions(table, "eu")
    rollups.add_skips(table, KEY, [NOW], "late")
    assert rollups.versions(table, "eu") != before


def test_old_stretches_go(table):
    """Four hundred days, and the hours of some days around the newest, are left."""
    for day in range(410):
        walk(table, NOW + day * DAY)
    assert len(rollups.read(table, KEY, DAY, EVER)) == 400
    assert min(rollups.read(table, KEY, DAY, EVER)) > NOW + 9 * DAY
    assert len(rollups.read(table, KEY, HOUR, EVER)) <= 5


@pytest.mark.parametrize("wrong", [NOW + 3000 * DAY, 1000.0])
def test_a_clock_that_is_wrong_for_a_while_takes_no_days(table, wrong):
    """Neither one that is years ahead nor one that began anew in 1970; hours are counted on
    after it is set right."""
    for day in range(30):
        walk(table, NOW + day * DAY)
    for hour in range(60):
        walk(table, wrong + hour * HOUR)
    now = NOW + 30 * DAY
    walk(table, now)
    lately = rollups.read(table, KEY, DAY, (NOW, now + DAY))
    assert len(lately) == 31
    assert [one.tally for one in rollups.read(table, KEY, HOUR, (now - DAY, now + HOUR)).values()][
        -1
    ] == Tally(passed=1)


def test_a_clock_that_is_set_back_leaves_no_skip_in_the_future(table):
    """What was skipped five minutes before stays so old; what was before that is as it was."""
    rollups.add_skips(table, KEY, [NOW - 40], "overrun")
    rollups.add_skips(table, KEY, [NOW + HOUR - 300], "late")
    before = rollups.versions(table, "eu")["buy"]
    rollups.set_back(table, HOUR, NOW)
    for length in (HOUR, DAY):
        told = {reason: last for reason, _, last in rollups.skips(table, KEY, length, EVER)}
        assert told == {"overrun": NOW - 40, "late": NOW - 300}
    assert rollups.versions(table, "eu")["buy"] > before
    rollups.set_back(table, 0.0, NOW - 1000)
    told = [last for _, _, last in rollups.skips(table, KEY, DAY, EVER)]
    assert told == [NOW - 1000, NOW - 1000]


def test_steps_and_journeys_are_bounded(table):
    """A journey that names its steps anew each time, and journeys that come and go."""
    for number in range(80):
        walk(table, NOW, Result.FAIL, step=f"step {number}")
    (day,) = rollups.read(table, KEY, DAY, EVER).values()
    assert (len(day.steps), day.tally.failed) == (50, 80)
    table.execute("BEGIN")
    for number in range(2005):
        walk(table, NOW + number, key=(f"journey_{number}", "eu"))
    rollups.forget_the_oldest(table)
    table.execute("COMMIT")
    assert len(rollups.versions(table, "eu")) <= 2006
    (left,) = table.execute("SELECT count(DISTINCT journey) FROM rollups").fetchone()
    assert left == 2000


def test_what_other_replicas_counted_is_added_up_and_told_apart(table):
    """Whoever reads gets the sum; what is told to others is this agent's alone, and what another
    tells again takes the place of what it told before."""
    walk(table, NOW, seconds=2.0)
    rollups.add_skips(table, KEY, [NOW], "paused")
    (theirs, *_) = [row for row in rollups.own_rows(table, KEY, 0.0) if row["length"] == DAY]
    for _ in range(2):
        rollups.put_in(table, "other", KEY, theirs | {"passed": 3, "of a newer version": 1})
    (day,) = rollups.read(table, KEY, DAY, EVER).values()
    assert day.tally == Tally(passed=4, suspended=2)
    assert rollups.counts(table, KEY, DAY, EVER) == {int(NOW // DAY * DAY): day.tally.counts}
    assert rollups.skips(table, KEY, DAY, EVER) == [("paused", 2, NOW)]
    own = [row for row in rollups.own_rows(table, KEY, 0.0) if row["length"] == DAY]
    assert own == [theirs]
    walk(table, NOW)
    (day,) = rollups.read(table, KEY, DAY, EVER).values()
    assert day.tally.passed == 5
