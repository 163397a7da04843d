"""What a run comes to, by the published table of attempts."""

from __future__ import annotations

import pytest

from agent.core.errors import ErrorType
from agent.core.results import Attempt, Result
from agent.runs.verdict import decide, wants_another

P, F, N = Result.PASS, Result.FAIL, Result.NOT_MEASURED
ERRORS = {P: None, F: ErrorType.ASSERTION, N: ErrorType.BROWSER_CRASH}


def attempt(number: int, result: Result) -> Attempt:
    error = "" if result is P else f"of attempt {number}"
    return Attempt(number, result, "0b" * 8, 100.0, 1.0, ERRORS[result], error)


@pytest.mark.parametrize(
    ("attempts", "result", "decided_by", "error"),
    [
        ((P,), Result.PASS, 0, ""),
        ((F, P), Result.FLAKY, 1, "of attempt 1"),
        ((F, F), Result.FAIL, 1, "of attempt 1"),
        ((F,), Result.FAIL, 0, "of attempt 1"),
        ((F, N), Result.NOT_MEASURED, 1, "of attempt 2"),
        ((N, P), Result.PASS, 1, ""),
        ((N, F), Result.FAIL, 1, "of attempt 2"),
        ((N, N), Result.NOT_MEASURED, 1, "of attempt 2"),
        ((N,), Result.NOT_MEASURED, 0, "of attempt 1"),
    ],
)
def test_each_row_of_the_table(attempts, result, decided_by, error):
    """Result, the attempt that decided, and whose error the run carries."""
    made = [attempt(number, one) for number, one in enumerate(attempts, 1)]
    decision = decide(made)
    assert (decision.result, decision.decided_by, decision.error) == (result, decided_by, error)
    blamed = [one for one in made if one.error == error and error]
    assert decision.error_type is (blamed[0].error_type if blamed else None)


@pytest.mark.parametrize("confirm", [True, False])
@pytest.mark.parametrize("room", [True, False])
@pytest.mark.parametrize("first", [P, F, N])
def test_when_a_second_attempt_is_due(first, confirm, room):
    """A pass never; a fail where it may be confirmed, room or not, since the next slot gives
    way; what was not measured only with room, confirm or not."""
    due = wants_another([attempt(1, first)], confirm=confirm, room=room)
    assert due is {P: False, F: confirm, N: room}[first]


@pytest.mark.parametrize("first", [P, F, N])
@pytest.mark.parametrize("second", [P, F, N])
def test_there_is_never_a_third_attempt(first, second):
    """Once confirmed or retried, that is that."""
    made = [attempt(1, first), attempt(2, second)]
    assert not wants_another(made, confirm=True, room=True)
