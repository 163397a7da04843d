"""A journey, and runs of it, for every unit that needs one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent.core.beacon_report import Audit, BeaconAction
from agent.core.errors import ErrorType
from agent.core.model import Cadence, Journey, Site, Trigger
from agent.core.results import Attempt, Result, RunResult, SpanData, Step, StepOutcome, Vital

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_800_000_000.0


@pytest.fixture
def journey() -> Journey:
    return Journey(
        name="buy_a_mug",
        site=Site("shop", "http://127.0.0.1:1", ("http://127.0.0.1:1",)),
        file="shop.py",
        line=7,
        cadence=Cadence(seconds=60.0),
        interval=60.0,
        timeout=20.0,
        grace=2.0,
        confirm=True,
        enabled=True,
        owner="checkout",
        runbook="https://runbooks.example/mug",
        severity="page",
    )


@pytest.fixture
def make_run(journey: Journey) -> Callable[..., RunResult]:
    """Builds a run: by default one attempt that passed, with a step and a request."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"

    def attempt(number: int, result: Result, error: ErrorType | None) -> Attempt:
        own = f"a0000000000000{number:02x}"
        step = f"b0000000000000{number:02x}"
        begin = int((START + 2 * number) * 1e9)
        spans = (
            SpanData(
                "GET", trace_id, f"c0000000000000{number:02x}", step, begin, begin + 5, "client",
                attributes={"http.request.method": "GET"},
                links=((trace_id, "d000000000000001"),),
            ),
            SpanData(
                "step Pay", trace_id, step, own, begin, begin + 9,
                attributes={"footfall.step.name": "Pay"},
            ),
        )  # fmt: skip
        return Attempt(
            number=number,
            result=result,
            audit=Audit(counts={BeaconAction.BLOCKED: {"Matomo": 2}}),
            span_id=own,
            started_at=START + 2 * number,
            duration=1.5,
            error_type=error,
            error="Pay is\n  disabled" if error else "",
            steps=(
                Step("Pay", StepOutcome.FAIL if error else StepOutcome.PASS, 0.7),
                Step("Read the receipt", StepOutcome.SKIPPED),
            ),
            spans=spans,
            requests={"first ok": 3, "third failed": 1},
            vitals=(Vital("lcp", 1.2), Vital("cls", 0.02)),
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
        first = attempts[-1] if result is Result.NOT_MEASURED else attempts[0]
        run = RunResult(
            run_id="run-1",
            journey=journey,
            location="eu-west-1",
            trigger=Trigger.SCHEDULE,
            trace_id=trace_id,
            span_id="9000000000000001",
            scheduled_at=START,
            started_at=START + 1,
            ended_at=START + 8,
            result=result,
            error_type=first.error_type,
            error=first.error,
            duration=1.5,
            attempts=attempts,
            decided_by=len(attempts) - 1,
        )
        return replace(run, **changes)

    return make
