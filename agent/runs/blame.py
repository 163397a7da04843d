"""Whose trouble an attempt was. Pure: what the worker saw goes in, a judged attempt comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.core.beacon_report import Audit
from agent.core.errors import ErrorType, Owner
from agent.core.results import Attempt, Result

if TYPE_CHECKING:
    from agent.core.results import AttemptRecord, AttemptReport

_OVERLOAD_FLOOR = 1.0
_OVERLOAD_SHARE = 0.1
_LOG = "\nCall log:"
"""Where in an error the driver's account of the call begins."""


@dataclass(frozen=True, slots=True)
class Blame:
    """What an attempt came to, and why."""

    result: Result
    error_type: ErrorType | None = None
    error: str = ""
    held_up: bool = False
    """Whether the agent itself held the attempt up."""


def blame(record: AttemptRecord, timeout: float, *, network_down: bool) -> Blame:
    """Judge one attempt.

    Args:
        record: what the supervisor holds of it.
        timeout: the attempt's own deadline in seconds.
        network_down: whether the agent's own network is known to be down.

    """
    report = record.report
    if report is None:
        return _without_report(record)
    blamed = _of_report(record, report, timeout, network_down=network_down)
    if record.death is not None and blamed.error:
        # What the journey came to was told before the worker ended, so it stands.
        return replace(blamed, error=f"{blamed.error}\nits evidence was lost: {record.detail}")
    return blamed


def judged(number: int, span_id: str, record: AttemptRecord, blamed: Blame) -> Attempt:
    """Put a record under its blame."""
    report = record.report
    return Attempt(
        number=number,
        result=blamed.result,
        span_id=span_id,
        started_at=report.started_at if report and report.started_at else record.started_at,
        duration=report.duration if report else record.ended_at - record.started_at,
        error_type=blamed.error_type,
        error=blamed.error,
        place=report.place if report else None,
        held_up=blamed.held_up,
        steps=record.steps,
        spans=record.spans,
        requests=dict(report.requests) if report else {},
        vitals=report.vitals if report else (),
        audit=report.audit if report else Audit(),
        page_errors=dict(report.page_errors) if report else {},
        certificates=report.certificates if report else (),
        outline=report.outline if report else None,
        releases=report.releases if report else (),
    )


def _of_report(
    record: AttemptRecord, report: AttemptReport, timeout: float, *, network_down: bool
) -> Blame:
    if report.blocked_at and report.lag > _too_long(timeout):
        return _agent(
            ErrorType.SCRIPT_ERROR,
            f"{report.blocked_at} blocked the event loop for {report.lag:.1f} s; "
            "await instead of blocking",
        )
    if report.error_type is None:
        return Blame(Result.PASS, held_up=bool(_held_up(record, report, timeout)))
    if report.error_type.owner is Owner.AGENT:
        return _agent(report.error_type, report.error)
    return _of_target(record, report, timeout, network_down=network_down)


def _without_report(record: AttemptRecord) -> Blame:
    if record.blocked_at and record.death is ErrorType.WORKER_KILLED:
        return _agent(
            ErrorType.SCRIPT_ERROR,
            f"{record.blocked_at} blocked the event loop until the worker was killed; "
            "await instead of blocking",
        )
    return _agent(record.death or ErrorType.WORKER_LOST, record.detail)


def _of_target(
    record: AttemptRecord, report: AttemptReport, timeout: float, *, network_down: bool
) -> Blame:
    """Ask everything that could excuse the target before it is blamed."""
    if report.canary is not None:
        return _agent(ErrorType.CANARY, f"{report.canary} (after: {report.error})")
    if report.unreachable and network_down:
        return _agent(
            ErrorType.AGENT_NETWORK, f"the agent's own network is down (after: {report.error})"
        )
    held_up = _held_up(record, report, timeout)
    if report.error_type is ErrorType.TIMEOUT and held_up:
        return _agent(ErrorType.AGENT_OVERLOAD, f"{held_up}\nafter: {_told(report)}")
    return Blame(Result.FAIL, report.error_type, _told(report))


def _told(report: AttemptReport) -> str:
    """Return the error, with what was there instead before the driver's log of the call."""
    cause, mark, log = report.error.partition(_LOG)
    return "\n".join([cause, *report.near]) + mark + log


def _held_up(record: AttemptRecord, report: AttemptReport, timeout: float) -> str:
    """Say how the agent itself held the walk up for too long, "" where it did not."""
    still = max(report.lag, report.tagger_wait)
    if still > _too_long(timeout):
        return f"the agent itself stood still for {still:.1f} s"
    # What the site has owed for longer than that did not wait for a processor of ours.
    owed = report.awaited - record.cpu_wait > _too_long(timeout)
    if record.cpu_wait > _too_long(timeout) and not owed:
        return f"the walk waited for a processor for {record.cpu_wait:.1f} s: the machine is busy"
    return ""


def _too_long(timeout: float) -> float:
    return max(_OVERLOAD_FLOOR, timeout * _OVERLOAD_SHARE)


def _agent(error_type: ErrorType, error: str) -> Blame:
    return Blame(Result.NOT_MEASURED, error_type, error)
