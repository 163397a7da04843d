"""Journeys, requests, attempts and runs as the agent holds them, with what a test cares about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.core.errors import ErrorType
from agent.core.model import Cadence, Journey, Site, Trigger
from agent.core.results import Attempt, Result, RunResult
from agent.runs.request import RunRequest
from agent.runs.verdict import decide

START = 1_800_000_000.0
"""Unix time of the slot of what is built here."""
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "9000000000000001"


def a_site(url: str = "http://127.0.0.1:1", *more: str, name: str = "shop") -> Site:
    """A site at this address, which nobody answers by default; ``more`` are first party too."""
    return Site(name, url, (url, *more))


def a_journey(name: str = "buy_a_mug", every: float | Cadence = 60.0, **changes: Any) -> Journey:
    """A journey each minute."""
    cadence = every if isinstance(every, Cadence) else Cadence(seconds=every)
    given: dict[str, Any] = {
        "site": a_site(),
        "file": "shop.py",
        "line": 7,
        "interval": cadence.seconds or 60.0,
        "timeout": 20.0,
        "grace": 2.0,
        "confirm": True,
        "enabled": True,
        "summary": "A guest buys a mug.",
        "owner": "checkout",
        "runbook": "https://runbooks.example.com/mug",
        "severity": "page",
    }
    return Journey(**{"name": name, "cadence": cadence, **given, **changes})


def a_request(journey: Journey | None = None, **changes: Any) -> RunRequest:
    """The request for a run of the schedule."""
    given: dict[str, Any] = {
        "run_id": "run-1",
        "location": "eu-west-1",
        "trigger": Trigger.SCHEDULE,
        "trace_id": TRACE,
        "span_id": SPAN,
        "scheduled_at": START,
    }
    return RunRequest(journey=journey or a_journey(), **(given | changes))


def an_attempt(
    result: Result = Result.PASS,
    number: int = 1,
    error_type: ErrorType | None = None,
    **changes: Any,
) -> Attempt:
    """An attempt; one that didn't pass has an error that fits, unless another is given."""
    usual = {Result.FAIL: ErrorType.ASSERTION, Result.NOT_MEASURED: ErrorType.CANARY}
    error_type = error_type or usual.get(result)
    given: dict[str, Any] = {
        "span_id": f"a0000000000000{number:02x}",
        "started_at": START + 2 * number,
        "duration": 1.5,
        "error": "Pay is disabled" if error_type else "",
    }
    return Attempt(number=number, result=result, error_type=error_type, **(given | changes))


def a_run(*attempts: Attempt, request: RunRequest | None = None, **changes: Any) -> RunResult:
    """A finished run, judged from its attempts as the agent judges; it passed if there are none."""
    request = request or a_request()
    attempts = attempts or (an_attempt(),)
    verdict = decide(list(attempts))
    built = RunResult(
        run_id=request.run_id,
        journey=request.journey,
        location=request.location,
        trigger=request.trigger,
        trace_id=request.trace_id,
        span_id=request.span_id,
        scheduled_at=request.scheduled_at,
        started_at=START + 1,
        ended_at=START + 8,
        result=verdict.result,
        error_type=verdict.error_type,
        error=verdict.error,
        duration=attempts[verdict.decided_by].duration,
        attempts=tuple(attempts),
        decided_by=verdict.decided_by,
    )
    return replace(built, **changes)
