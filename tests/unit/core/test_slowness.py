"""Passes above a limit: what is marked, and what says nothing about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.results import Result, Step, StepOutcome
from agent.core.slowness import TooSlow, too_slow, was_slow
from tests.support.build import a_journey, a_request, a_run, an_attempt

PASS, FAIL, NONE = Result.PASS, Result.FAIL, Result.NOT_MEASURED


def walked(*attempts, slow=4.0):
    return a_run(*attempts, request=a_request(a_journey(slow=slow)))


@pytest.mark.parametrize(("took", "slow"), [(3.9, False), (4.0, False), (4.01, True)])
def test_a_pass_above_the_journeys_limit_is_slow(took, slow):
    """Above the limit, not at it, and what it tells is limit and seconds."""
    run = walked(an_attempt(PASS, duration=took))
    assert was_slow(run) is slow
    assert too_slow(run) == ((TooSlow(None, 4.0, took),) if slow else ())


def test_a_step_has_a_limit_of_its_own():
    """Each step above its own limit is told by its name, without the journey's being passed."""
    steps = (
        Step("Open", StepOutcome.PASS, 0.5, slow=1.0),
        Step("Rate it", StepOutcome.PASS, 1.25, slow=1.0),
        Step("Leave", StepOutcome.PASS, 9.0),
    )
    (one,) = too_slow(walked(an_attempt(PASS, duration=2.0, steps=steps), slow=None))
    assert one == TooSlow("Rate it", 1.0, 1.25)
    assert one.shown == 'step "Rate it": 1.25 s, above its limit of 1s'


def test_of_a_flaky_run_the_second_attempt_counts():
    """The attempt that decided, and no other, is held against the limit."""
    quick, slow = {"duration": 1.0}, {"duration": 9.0}
    assert not too_slow(walked(an_attempt(FAIL, **slow), an_attempt(PASS, 2, **quick)))
    assert too_slow(walked(an_attempt(FAIL, **quick), an_attempt(PASS, 2, **slow)))


@pytest.mark.parametrize("result", [FAIL, NONE])
def test_what_did_not_pass_says_nothing(result):
    """A fail and what was not measured are neither slow nor quick."""
    run = walked(an_attempt(result, duration=9.0))
    assert (too_slow(run), was_slow(run)) == ((), None)


def test_what_the_agent_held_up_is_not_the_targets():
    """A pass whose worker stood still, or whose requests waited for it, says nothing."""
    run = walked(an_attempt(PASS, duration=9.0, held_up=True))
    assert (too_slow(run), was_slow(run)) == ((), None)


def test_a_run_without_attempts_says_nothing():
    """An agent that was stopped under a run measured no time."""
    run = walked(an_attempt(PASS, duration=9.0))
    assert was_slow(replace(run, attempts=(), result=NONE)) is None
