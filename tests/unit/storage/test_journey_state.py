"""How a journey stands: what each result makes of it, and for how long it is believed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from agent.core.results import Result
from agent.storage import journey_state
from agent.storage.journey_state import JourneyState, RunEnd


@pytest.fixture
def note():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(journey_state.SCHEMA)

    def note(*results):
        for moment, result in enumerate(results):
            start = 1000.0 + 10 * moment
            end = RunEnd("buy_a_mug", "eu-west-1", result, start, start + 1)
            journey_state.note(connection, end)
        elsewhere = RunEnd("buy_a_mug", "us-east-1", Result.FAIL, 1.0, 2.0)
        journey_state.note(connection, elsewhere)
        return journey_state.read(connection, "eu-west-1").get("buy_a_mug", JourneyState())

    yield note
    connection.close()


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
        assert state == JourneyState(1, 500.0, Result.FAIL, 501.0, 501.0, 401.0)
        assert state.is_up(60.0, 520.0) is False
        journey_state.set_back(connection, 0.0, 450.0)
        state = journey_state.read(connection, "eu")["buy"]
        assert state == JourneyState(1, 450.0, Result.FAIL, 450.0, 450.0, 401.0)
