from __future__ import annotations

import sqlite3

import pytest

from agent.core.results import Result
from agent.storage import journey_state


@pytest.fixture
def note(make_run):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(journey_state.SCHEMA)

    def note(*results):
        for moment, result in enumerate(results):
            journey_state.note(connection, make_run(result, ended_at=1000.0 + moment))
        return journey_state.read(connection, "eu-west-1")["buy_a_mug"]

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
    ],
)
def test_failures_in_a_row(note, results, failures):
    """Pass and flaky set 0, fail adds 1, not_measured leaves it."""
    assert note(*results).consecutive_failures == failures


def test_what_was_not_measured_moves_the_last_run_only(note):
    """A run that measured nothing refreshes neither the verdict nor the last success."""
    state = note(Result.PASS, Result.NOT_MEASURED)
    assert (state.verdict, state.verdict_at) == (Result.PASS, 1000.0)
    assert (state.last_run, state.last_success) == (1001.0, 1000.0)


def test_a_fail_is_no_success(note):
    """The last success stays where it was."""
    state = note(Result.FLAKY, Result.FAIL)
    assert (state.verdict, state.last_success) == (Result.FAIL, 1000.0)


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
    assert journey_state.fresh(note(Result.PASS).verdict_at, interval, 1000.0 + age) is fresh


def test_without_a_verdict_nothing_is_fresh(note):
    """A journey that never measured its target has no word about it."""
    assert not journey_state.fresh(note(Result.NOT_MEASURED).verdict_at, 60, 1000.0)
