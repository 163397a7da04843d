"""Runs to be shown and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.core.errors import ErrorType
from agent.core.model import Trigger
from agent.core.results import Result, Step, StepOutcome
from agent.core.source_line import SourceLine
from agent.runs.conduct import interrupted
from tests.support.build import a_journey, a_request, a_run, an_attempt

if TYPE_CHECKING:
    from agent.runs.request import RunRequest


@pytest.fixture
def request_() -> RunRequest:
    journey = a_journey(file="shop/buy.py", summary="A guest buys [the cheapest] mug.")
    return a_request(journey, location="here", trigger=Trigger.ONCE, scheduled_at=None)


@pytest.fixture
def make_run(request_):
    """Build a run: what each attempt came to, the last one deciding."""

    def make(*results: Result, error="no [button] & <none>\x00", error_type=ErrorType.ASSERTION):
        attempts = tuple(
            an_attempt(
                result,
                number,
                None if result is Result.PASS else error_type,
                started_at=1000.0,
                duration=1.25,
                error="" if result is Result.PASS else error,
                steps=(
                    Step("Open [it]", StepOutcome.PASS, 0.5),
                    Step("Pay", StepOutcome.FAIL, 0.25),
                    Step("Read", StepOutcome.SKIPPED),
                ),
                artifacts=() if result is Result.PASS else (f"buy/r/attempt-{number}/s.png",),
                place=SourceLine("journeys/shop/buy.py", 17, "await pay(['x'])"),
            )
            for number, result in enumerate(results, 1)
        )
        if not attempts:
            return interrupted(request_, 1000.0, 1002.5, "")
        return a_run(*attempts, request=request_, started_at=1000.0, ended_at=1002.5)

    return make
