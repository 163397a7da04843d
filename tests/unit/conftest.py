"""A journey, and runs of it, for every unit that needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent.core.beacon_report import Audit, BeaconAction
from agent.core.certificate import Certificate
from agent.core.errors import ErrorType
from agent.core.results import Attempt, Result, RunResult, SpanData, Step, StepOutcome, Vital
from tests.support.build import START, TRACE, a_journey, a_request, a_run, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.model import Journey


@pytest.fixture
def journey() -> Journey:
    return a_journey()


@pytest.fixture
def make_run(journey: Journey) -> Callable[..., RunResult]:
    """Builds a run: by default one attempt that passed, with a step and a request."""

    def attempt(number: int, result: Result, error: ErrorType | None) -> Attempt:
        own = f"a0000000000000{number:02x}"
        step = f"b0000000000000{number:02x}"
        begin = int((START + 2 * number) * 1e9)
        spans = (
            SpanData(
                "GET", TRACE, f"c0000000000000{number:02x}", step, begin, begin + 5, "client",
                attributes={"http.request.method": "GET"},
                links=((TRACE, "d000000000000001"),),
            ),
            SpanData(
                "step Pay", TRACE, step, own, begin, begin + 9,
                attributes={"footfall.step.name": "Pay"},
            ),
        )  # fmt: skip
        return an_attempt(
            result,
            number,
            error,
            audit=Audit(counts={BeaconAction.BLOCKED: {"Matomo": 2}}),
            span_id=own,
            error="Pay is\n  disabled" if error else "",
            steps=(
                Step("Pay", StepOutcome.FAIL if error else StepOutcome.PASS, 0.7),
                Step("Read the receipt", StepOutcome.SKIPPED),
            ),
            spans=spans,
            requests={"first ok": 3, "third failed": 1},
            vitals=(Vital("lcp", 1.2), Vital("cls", 0.02)),
            page_errors={"first": 2, "third": 1},
            certificates=(Certificate("127.0.0.1:1", START + 5 * 86_400, 6 * 86_400),),
            artifacts=(f"run/{number}/screenshot.png",),
        )

    def make(result: Result = Result.PASS, **changes: Any) -> RunResult:
        target, agent = ErrorType.ASSERTION, ErrorType.CANARY
        attempts = {
            Result.PASS: (attempt(1, Result.PASS, None),),
            Result.FLAKY: (attempt(1, Result.FAIL, target), attempt(2, Result.PASS, None)),
            Result.FAIL: (attempt(1, Result.FAIL, target), attempt(2, Result.FAIL, target)),
            Result.NOT_MEASURED: (attempt(1, Result.NOT_MEASURED, agent),),
        }[result]
        return a_run(*attempts, request=a_request(journey), **changes)

    return make
