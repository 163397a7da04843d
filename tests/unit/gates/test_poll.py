"""Journeys that vote together."""

from __future__ import annotations

import pytest

from agent.core.gate import GateVerdict
from agent.gates.ballot import Ballot
from agent.gates.poll import Poll
from agent.gates.sequential_test import scale


@pytest.fixture
def poll():
    return Poll({name: Ballot(scale(0.02, 2), confirm_after=3.0) for name in "ab"})


def passes(ballot, count=5):
    for _ in range(count):
        ballot.passed(100.0)


def fails(ballot):
    ballot.failed(0.0, 1.0)
    ballot.failed(4.0, 5.0)


def test_all_have_to_be_good(poll):
    """One that is good is not enough."""
    passes(poll.ballots["a"])
    assert poll.verdict is GateVerdict.PENDING
    passes(poll.ballots["b"])
    assert poll.verdict is GateVerdict.PASS


def test_one_that_fails_for_sure_is_enough(poll):
    """Whatever the others say, or don't."""
    fails(poll.ballots["a"])
    assert poll.verdict is GateVerdict.FAIL
    for _ in range(2):
        poll.ballots["b"].unmeasured("canary")
    assert poll.verdict is GateVerdict.FAIL


def test_one_that_can_not_be_measured_leaves_no_verdict(poll):
    """Never a pass, and no verdict before the others have spoken."""
    for _ in range(2):
        poll.ballots["b"].unmeasured("canary")
    assert poll.verdict is GateVerdict.PENDING
    passes(poll.ballots["a"])
    assert poll.verdict is GateVerdict.ERROR


def test_no_more_are_walked_than_could_decide(poll):
    """Walks under way count as if they passed."""
    a, b = poll.ballots.values()
    begun = []
    while name := poll.next(0.0, "ab"):
        poll.ballots[name].under_way += 1
        begun.append(name)
    assert sorted(begun) == ["a"] * 5 + ["b"] * 5
    assert begun[:2] in (["a", "b"], ["b", "a"])
    a.under_way = 0
    passes(a)
    assert poll.next(0.0, "ab") is None
    b.under_way = 4
    assert poll.next(0.0, "ab") == "b"
    assert poll.next(0.0, "a") is None


def test_a_failure_rests_and_then_comes_first(poll):
    """Until it can be confirmed the other is walked; then it may decide."""
    a = poll.ballots["a"]
    a.failed(0.0, 1.0)
    assert poll.next(2.0, "ab") == "b"
    assert poll.next_at(2.0, "ab") == 4.0
    assert poll.next_at(2.0, "b") is None
    poll.ballots["b"].under_way = 0
    assert poll.next(4.0, "ab") == "a"
    assert poll.next_at(4.0, "ab") is None
