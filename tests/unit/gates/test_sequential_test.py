"""How much a walk weighs, and how much is enough."""

from __future__ import annotations

import pytest

from agent.gates.sequential_test import LEAST_SHARE, WRONGLY_BACK, _errs, scale


@pytest.mark.parametrize("share", [0.0, 0.01, 0.02, 0.05])
def test_two_failed_walks_roll_back_and_five_passes_promote(share):
    """Of a journey that seldom fails; what is better than 2 % is held to that."""
    held = scale(share)
    assert held.failed < held.back_at <= 2 * held.failed
    assert held.passes_from(0.0) == 5
    assert 4 * held.passed > held.on_at >= 5 * held.passed


def test_a_failure_that_frequent_says_less():
    """Of a journey that fails in every tenth or fifth walk two are not enough."""
    assert 2 * scale(0.1).failed < scale(0.1).back_at
    assert 4 * scale(0.2).failed < scale(0.2).back_at <= 5 * scale(0.2).failed


@pytest.mark.parametrize("share", [LEAST_SHARE, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("journeys", [1, 3, 10, 50])
def test_all_that_vote_err_no_more_often_than_one(share, journeys):
    """However many there are, and exactly, not by a bound."""
    alone = max(WRONGLY_BACK, _errs(share, scale(share)))
    assert journeys * _errs(share, scale(share, journeys)) <= alone


def test_ten_that_seldom_fail_are_rolled_back_by_two_walks():
    """The more vote the surer each has to be, but no surer than need be."""
    assert 2 * scale(0.02, 10).failed >= scale(0.02, 10).back_at


def test_passes_from_a_failure_on():
    """One failed walk doubles what it takes."""
    held = scale(0.02)
    passes = held.passes_from(held.failed)
    assert passes == 10
    assert held.failed + passes * held.passed <= held.on_at < held.failed + 9 * held.passed
