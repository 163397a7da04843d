"""What the agent's own log says of a run: as loud as it is, with what leads to the cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from agent.core.difference import Change, Comparison
from agent.core.results import Result, Step, StepOutcome
from agent.core.source_line import SourceLine
from agent.runs.run_events import log_run
from agent.storage.run_end import Turn
from tests.support.build import a_journey, a_request, a_run, an_attempt


def lines(run, turn=None):
    with capture_logs() as logged:
        log_run(run, turn)
    return logged


@pytest.mark.parametrize(
    ("result", "level"),
    [(Result.PASS, "info"), (Result.FAIL, "warning"), (Result.NOT_MEASURED, "info")],
)
def test_only_a_fail_is_a_warning(result, level):
    """A pass is information, and so is what the agent could not measure."""
    (line,) = lines(a_run(an_attempt(result)))
    assert (line["event"], line["log_level"], line["result"]) == ("run.finished", level, result)


def test_a_fail_says_where_and_why():
    """The step, the journey's line, and the error's first line alone."""
    failed = an_attempt(
        Result.FAIL,
        error="Pay is disabled\nCall log: …",
        steps=(Step("Pay", StepOutcome.FAIL, 0.5),),
        place=SourceLine("journeys/buy.py", 17, "await pay(page)"),
    )
    cause = Change("release", "another release answered: 2, before 1")
    (line,) = lines(a_run(replace(failed, comparison=Comparison(5, (cause,)))))
    assert line["change"] == cause.line
    assert (line["step"], line["place"]) == ("Pay", "journeys/buy.py:17")
    assert line["error"] == "Pay is disabled"
    assert not {"step", "change"} & set(lines(a_run())[0])


def test_a_slow_pass_says_what_was_slow():
    """Each limit that was passed, in words."""
    run = a_run(an_attempt(duration=5.0), request=a_request(a_journey(slow=4.0)))
    assert lines(run)[0]["slow"] == ["5.00 s, above its limit of 4s"]


@pytest.mark.parametrize(
    ("down", "event", "level"),
    [(True, "journey.down", "warning"), (False, "journey.up", "info")],
)
def test_a_turn_has_a_line_of_its_own(down, event, level):
    """With owner, runbook, what the first fail failed on, since when and, back, for how long."""
    turn = Turn(down, 1_800_000_001.0, 61.4, 2, "assertion", "Pay", "Pay is disabled")
    run = a_run()
    told = lines(replace(run, run_id="run-7"), turn)[1]
    assert (told["event"], told["log_level"], told["run_id"]) == (event, level, "run-7")
    assert (told["owner"], told["step"], told["fails"]) == ("checkout", "Pay", 2)
    assert told["runbook"] == "https://runbooks.example.com/mug"
    assert told["since"] == "2027-01-15T08:00:01.000Z"
    assert told.get("down_for") == (None if down else 61.4)
