"""Runs as they go on: how far each is, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.results import Result, Step, StepOutcome
from agent.runs.live_runs import LiveRuns
from agent.storage.run_end import Turn
from tests.support.build import a_request, a_run


@pytest.fixture
def told():
    return []


@pytest.fixture
def live(told):
    return LiveRuns(lambda kind, data: told.append((kind, dict(data))))


def step(name, result=StepOutcome.PASS, duration=0.5):
    return Step(name, result, duration)


def test_a_journey_leads_to_the_run_that_goes_on(live, journey):
    """Rather than to one of it that still waits, and to none once both are over."""
    waits, walks = (replace(a_request(journey), run_id=run_id) for run_id in ("one", "two"))
    with live.following(waits, 100.0):
        assert live.of(journey.name) == "one"
        with live.following(walks, 101.0) as followed:
            followed.begin()
            assert live.of(journey.name) == "two"
            assert live.of("another") is None
    assert live.of(journey.name) is None


def test_each_step_is_told_as_it_happens(live, told, journey):
    """With its attempt, however often it is walked; and what is told stands in the run's document
    at that moment, until it is over."""
    request = a_request(journey)
    of = {"run_id": request.run_id, "journey": journey.name, "trigger": request.trigger.value}
    with live.following(request, 100.0) as followed:
        assert live.find(request.run_id).document()["state"] == "waiting"
        followed.on_attempt_started(1)
        followed.on_step_started("Find it", 0)
        assert live.find(request.run_id).document()["step"] == "Find it"
        followed.on_step_ended(step("Find it"), 0)
        followed.on_step_started("Pay", 1)
        followed.on_step_ended(step("Pay", StepOutcome.FAIL, 1.25), 1)
        followed.on_rest(3.0)
        followed.on_attempt_started(2)
        document = live.find(request.run_id).document()
    assert live.find(request.run_id) is None
    assert (document["state"], document["step"]) == ("running", None)
    first, second = document["attempts"]
    assert [(one["name"], one["result"]) for one in first["steps"]] == [
        ("Find it", "pass"),
        ("Pay", "fail"),
    ]
    assert second["steps"] == []
    begun, ended = {"state": "running"}, {"state": "ended"}
    find, pay = {"attempt": 1, "step": "Find it"}, {"attempt": 1, "step": "Pay"}
    assert told == [
        ("run", of | begun | {"attempt": 1}),
        ("step", of | find | begun | {"depth": 0}),
        ("step", of | find | ended | {"depth": 0, "result": "pass", "duration": 0.5}),
        ("step", of | pay | begun | {"depth": 1}),
        ("step", of | pay | ended | {"depth": 1, "result": "fail", "duration": 1.25}),
        ("run", of | begun | {"attempt": 2}),
    ]


def test_a_run_that_ended_is_told_and_a_journey_that_turned(live, told):
    """No text that a page, or its author, wrote goes along: who wants it asks for the run."""
    run = a_run(result=Result.FAIL, error="<script>alert(1)</script>")
    live.ended(run, None)
    live.ended(run, Turn(True, 1_800_000_000.0, 5.0, 2, "assertion", "Pay", run.error))
    kinds = [kind for kind, _ in told]
    assert kinds == ["run", "run", "state"]
    assert (told[0][1]["state"], told[0][1]["result"]) == ("ended", "fail")
    assert told[2][1] == {
        "what": "down",
        "journey": run.journey.name,
        "since": "2027-01-15T08:00:00.000Z",
    }
    assert "<" not in str(told)


def test_a_run_is_found_as_one_that_is_kept(live, journey):
    """By its id, or the first eight characters of it where they are no other's."""
    ids = ("0123456789ab", "0123456799cd")
    first, second = (a_request(journey, run_id=one) for one in ids)
    with live.following(first, 1.0), live.following(second, 1.0):
        assert live.find(ids[0]).request is first
        assert live.find("012345678").request is first
        for none in ("01234567", "0123456", "", "x"):
            assert live.find(none) is None, none
