"""One journey's votes."""

from __future__ import annotations

import pytest

from agent.gates.ballot import Ballot, Standing
from agent.gates.sequential_test import scale


@pytest.fixture
def ballot():
    return Ballot(scale(0.02), confirm_after=3.0)


def test_five_passes_are_good(ballot):
    """Not one sooner; what comes after says nothing more."""
    for number in range(5):
        assert ballot.standing is Standing.OPEN
        assert ballot.wanted == 5 - number
        assert ballot.passed(0.0)
    assert ballot.standing is Standing.GOOD
    assert not ballot.failed(10.0, 11.0)
    assert ballot.counted == 5


def test_two_failures_are_broken_where_the_second_began_late_enough(ballot):
    """It began ``confirm_after`` after the end of the first, not of its begin."""
    assert ballot.failed(0.0, 1.0)
    assert not ballot.failed(0.5, 1.5)
    assert not ballot.failed(3.9, 5.0)
    assert ballot.standing is Standing.OPEN
    assert ballot.failed(4.0, 5.0)
    assert ballot.standing is Standing.BROKEN


def test_passes_of_the_moment_of_a_failure_do_not_outvote_it(ballot):
    """A walk that began before the failure could be confirmed counts neither way."""
    assert ballot.failed(0.0, 1.0)
    assert not ballot.passed(0.5)
    assert not ballot.passed(3.9)
    assert ballot.passed(4.0)
    assert (ballot.passes, ballot.fails) == (1, 1)


def test_what_is_not_measured_does_not_vote(ballot):
    """Once is nothing, twice in a row ends it, and a vote in between begins anew."""
    ballot.unmeasured("canary")
    assert ballot.passed(0.0)
    ballot.unmeasured("canary")
    assert ballot.standing is Standing.OPEN
    ballot.unmeasured("worker_lost")
    assert ballot.standing is Standing.UNMEASURED
    assert ballot.trouble == "worker_lost"
    assert ballot.counted == 1
