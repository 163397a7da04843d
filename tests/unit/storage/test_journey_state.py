"""How a journey stands: what each result makes of it, and for how long it is believed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from agent.core.results import Result
from agent.storage import journey_state
from agent.storage.journey_state import JourneyState
from agent.storage.run_end import RunEnd


@pytest.fixture
def connection():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(journey_state.SCHEMA)
        yield connection


@pytest.fixture
def note(connection):
    def note(*results, slow=()):
        for moment, result in enumerate(results):
            start = 1000.0 + 10 * moment
            mark = slow[moment] if slow else None
            end = RunEnd("buy_a_mug", "eu-west-1", result, start, start + 1, mark)
            journey_state.note(connection, end)
        elsewhere = RunEnd("buy_a_mug", "us-east-1", Result.FAIL, 1.0, 2.0)
        journey_state.note(connection, elsewhere)
        return journey_state.read(connection, "eu-west-1").get("buy_a_mug", JourneyState())

    return note


@pytest.mark.parametrize(
    ("results", "failures"),
    [
        ([Result.FAIL], 1),
        ([Result.FAIL, Result.FAIL], 2),
        ([Result.FAIL, Result.NOT_MEASURED], 1),
        ([Result.FAIL, Result.NOT_MEASURED, Result.FAIL], 2),
        ([Result.FAIL, Result.FLAKY], 0),
        ([Result.FAIL, Result.PASS], 0),
        ([Result.PASS, Result.FAIL], 1),
        ([Result.NOT_MEASURED], 0),
        ([], 0),
    ],
)
def test_failures_in_a_row(note, results, failures):
    """Pass and flaky set 0, fail adds 1, not_measured and other locations leave it."""
    assert note(*results).consecutive_failures == failures


@pytest.mark.parametrize(
    ("results", "since"),
    [
        ([Result.FAIL, Result.FAIL], 1000.0),
        ([Result.PASS, Result.FAIL, Result.NOT_MEASURED, Result.FAIL], 1010.0),
        ([Result.NOT_MEASURED, Result.FAIL], 1010.0),
        ([Result.FAIL, Result.PASS, Result.FAIL], 1020.0),
        ([Result.FAIL, Result.FLAKY], None),
        ([Result.FAIL, Result.PASS, Result.NOT_MEASURED], None),
        ([Result.NOT_MEASURED], None),
    ],
)
def test_since_when_a_journey_fails(note, results, since):
    """From the start of the first fail in a row; a success ends it, a gap in measuring doesn't."""
    assert note(*results).failing_since == since


@pytest.mark.parametrize(
    ("marks", "slow"),
    [
        ([True], 1),
        ([True, True], 2),
        ([True, None, True], 2),
        ([True, True, False], 0),
        ([True, False, True], 1),
        ([None], 0),
        ([], 0),
    ],
)
def test_slow_passes_in_a_row(note, marks, slow):
    """A pass that was not slow sets 0, a slow one adds 1; a fail, what was not measured or what
    the agent held up leaves it."""
    results = [Result.FAIL if mark is None else Result.PASS for mark in marks]
    assert note(*results, slow=marks).consecutive_slow == slow


PASS, FAIL, FLAKY, NONE = Result.PASS, Result.FAIL, Result.FLAKY, Result.NOT_MEASURED


@pytest.mark.parametrize(
    ("results", "watched"),
    [
        ([FAIL], {"buy_a_mug": 1}),
        ([FAIL, FAIL, NONE], {"buy_a_mug": 2}),
        ([FAIL, PASS], {"buy_a_mug": 0}),
        ([FAIL, PASS, NONE], {"buy_a_mug": 0}),
        ([FAIL, PASS, FAIL], {"buy_a_mug": 1}),
        ([FAIL, PASS, PASS], {}),
        ([FAIL, FLAKY, PASS], {}),
        ([PASS], {}),
        ([NONE], {}),
    ],
)
def test_who_is_watched_closely(connection, note, results, watched):
    """From a fail to the second pass or flaky in a row, with the fails in a row so far."""
    note(*results)
    assert journey_state.watched(connection, "eu-west-1") == watched


def turns(connection, *results, down_after=2):
    told = []
    for moment, result in enumerate(results):
        start = 1000.0 + 10 * moment
        error = {"error_type": "assertion", "step": f"Step {moment}", "error": f"error {moment}"}
        end = RunEnd("buy", "eu", result, start, start + 1, None, down_after, **error)
        turn = journey_state.note(connection, end)
        if turn is not None:
            told.append((moment, turn.down, turn.fails, turn.since, turn.seconds, turn.step))
    return told


@pytest.mark.parametrize(
    ("results", "down_after", "told"),
    [
        ([FAIL, PASS], 2, []),
        ([FAIL, FAIL, FAIL], 2, [(1, True, 2, 1000.0, 11.0, "Step 0")]),
        ([FAIL, FAIL, FAIL], 3, [(2, True, 3, 1000.0, 21.0, "Step 0")]),
        ([FAIL, NONE, FAIL, NONE], 2, [(2, True, 2, 1000.0, 21.0, "Step 0")]),
        (
            [PASS, FAIL, FAIL, FAIL, NONE, FLAKY, PASS],
            2,
            [(2, True, 2, 1010.0, 11.0, "Step 1"), (5, False, 3, 1010.0, 41.0, "Step 1")],
        ),
        (
            [FAIL, FAIL, PASS, FAIL, FAIL],
            2,
            [
                (1, True, 2, 1000.0, 11.0, "Step 0"),
                (2, False, 2, 1000.0, 21.0, "Step 0"),
                (4, True, 2, 1030.0, 11.0, "Step 3"),
            ],
        ),
    ],
)
def test_a_turn_is_told_once(connection, results, down_after, told):
    """Down at so many fails in a row, up at the first success after that, each once, with when
    it began and what the first fail failed on."""
    assert turns(connection, *results, down_after=down_after) == told


def test_a_number_that_changes_while_it_fails_tells_down_once(connection):
    """A reload that takes the confirming attempt away, or brings it, makes no second event."""
    assert len(turns(connection, FAIL, FAIL, down_after=2)) == 1
    assert turns(connection, FAIL, FAIL, down_after=3) == []
    assert turns(connection, FAIL, FAIL, down_after=2) == []


def test_it_does_not_wear_off(note):
    """More runs than are kept in the history change nothing of what they came to."""
    state = note(Result.PASS, *[Result.FAIL] * 1500)
    assert (state.consecutive_failures, state.failing_since) == (1500, 1010.0)
    assert state.last_success == 1001.0


def test_what_was_not_measured_moves_the_last_run_only(note):
    """A run that measured nothing refreshes neither the verdict nor the last success."""
    state = note(Result.PASS, Result.NOT_MEASURED)
    assert (state.verdict, state.verdict_at) == (Result.PASS, 1001.0)
    assert (state.last_run, state.last_success) == (1011.0, 1001.0)


def test_a_fail_is_no_success(note):
    """The last success stays where it was."""
    state = note(Result.FLAKY, Result.FAIL)
    assert (state.verdict, state.last_success) == (Result.FAIL, 1001.0)


@pytest.mark.parametrize(
    ("interval", "age", "fresh"),
    [
        (10, 299, True),
        (10, 300, False),
        (200, 599, True),
        (200, 600, False),
        (10, -299, True),
        (10, -300, False),
    ],
)
def test_a_verdict_is_fresh_for_three_intervals_and_five_minutes_at_least(
    note, interval, age, fresh
):
    """An agent that measures nothing shows nothing, soon; nor does a clock that was set back."""
    for result, up in ((Result.PASS, True), (Result.FLAKY, True), (Result.FAIL, False)):
        told = note(result).is_up(interval, 1001.0 + age)
        assert told is (up if fresh else None)


def test_without_a_verdict_nothing_is_fresh(note):
    """A journey that never measured its target has no word about it."""
    assert note(Result.NOT_MEASURED).is_up(60, 1001.0) is None


def test_what_is_noted_goes_back_with_the_clock():
    """As old as before, none from the future, also where a start finds it so."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(journey_state.SCHEMA)
        for at, result in ((900.0, Result.PASS), (1000.0, Result.FAIL)):
            journey_state.note(connection, RunEnd("buy", "eu", result, at, at + 1))
        journey_state.set_back(connection, 500.0, 520.0)
        state = journey_state.read(connection, "eu")["buy"]
        assert state == JourneyState(
            1, 500.0, Result.FAIL, 501.0, 500.0, 501.0, 401.0, passes_wanted=2
        )
        assert state.is_up(60.0, 520.0) is False
        journey_state.set_back(connection, 0.0, 450.0)
        state = journey_state.read(connection, "eu")["buy"]
        assert state == JourneyState(
            1, 450.0, Result.FAIL, 450.0, 450.0, 450.0, 401.0, passes_wanted=2
        )
