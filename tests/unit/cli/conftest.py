"""Runs to be shown and reported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.errors import ErrorType
from agent.core.model import Cadence, Journey, Site, Trigger
from agent.core.results import Attempt, Result, Step, StepOutcome
from agent.runs.conduct import RunRequest, interrupted


@pytest.fixture
def request_() -> RunRequest:
    journey = Journey(
        name="buy_a_mug",
        site=Site("shop", "http://127.0.0.1:1", ("http://127.0.0.1:1",)),
        file="shop/buy.py",
        line=7,
        cadence=Cadence(seconds=60.0),
        interval=60.0,
        timeout=20.0,
        grace=2.0,
        confirm=True,
        enabled=True,
        summary="A guest buys [the cheapest] mug.",
    )
    return RunRequest("run-1", journey, "here", Trigger.ONCE, "0a" * 16, "0b" * 8)


@pytest.fixture
def make_run(request_):
    """Build a run: what each attempt came to, the last one deciding."""

    def make(*results: Result, error="no [button] & <none>\x00", error_type=ErrorType.ASSERTION):
        attempts = tuple(
            Attempt(
                number,
                result,
                "0c" * 8,
                1000.0,
                1.25,
                None if result is Result.PASS else error_type,
                "" if result is Result.PASS else error,
                (
                    Step("Open [it]", StepOutcome.PASS, 0.5),
                    Step("Pay", StepOutcome.FAIL, 0.25),
                    Step("Read", StepOutcome.SKIPPED),
                ),
                artifacts=() if result is Result.PASS else (f"buy/r/attempt-{number}/s.png",),
            )
            for number, result in enumerate(results, 1)
        )
        whole = {
            (Result.FAIL, Result.PASS): Result.FLAKY,
        }.get(results, results[-1] if results else Result.NOT_MEASURED)
        blamed = next((one for one in attempts if one.error), None)
        return replace(
            interrupted(request_, 1000.0, 1002.5, ""),
            result=whole,
            error_type=blamed.error_type if blamed else None,
            error=blamed.error if blamed else "",
            duration=1.25,
            attempts=attempts,
            decided_by=max(0, len(attempts) - 1),
        )

    return make
