"""Conducting a run: its attempts one after the other, until there is a result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import structlog

from agent.core import ids
from agent.core.clock import SteadyTime
from agent.core.errors import ErrorType
from agent.core.results import Result, RunResult
from agent.runs.blame import blame, judged
from agent.runs.request import AttemptOrder
from agent.runs.verdict import decide, wants_another

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.clock import Clock
    from agent.core.results import Attempt, AttemptRecord
    from agent.runs.blame import Blame
    from agent.runs.network import Network
    from agent.runs.request import RunRequest

_log = structlog.get_logger("footfall.runs")

_LAUNCH = 3.0
"""Seconds of leave for a worker and its browser to start, when room in the slot is judged."""


_COSTS = frozenset(
    {
        ErrorType.OUT_OF_MEMORY,
        ErrorType.WORKER_KILLED,
        ErrorType.CANARY,
        ErrorType.AGENT_OVERLOAD,
    }
)
"""What recording may cost on a heavy page: memory, time and CPU."""


class Walker(Protocol):
    """Who makes one attempt, and keeps the evidence that is wanted of it."""

    async def walk(self, request: RunRequest, order: AttemptOrder) -> AttemptRecord:
        """Walk the journey once."""
        ...

    async def rest(self, seconds: float) -> None:
        """Let time pass before the next walk; less where the agent is ending."""
        ...

    async def compare(self, request: RunRequest, attempt: Attempt) -> Attempt:
        """Return an attempt with what is different in it from its journey's last passes."""
        ...

    def keep(
        self, request: RunRequest, started_at: float, attempt: Attempt, evidence: Sequence[str]
    ) -> Attempt:
        """Keep or drop an attempt's evidence; return it with its artifacts' paths.

        ``started_at`` is that of the run, whose attempts are kept together.
        """
        ...


async def conduct(request: RunRequest, walker: Walker, network: Network, clock: Clock) -> RunResult:
    """Make the run and judge it."""
    time = SteadyTime(clock)
    journey = request.journey
    judge = _Judge(request, walker, network, clock)
    attempts: list[Attempt] = []
    order = AttemptOrder(1, ids.span_id())
    while True:
        walked = await judge.attempt(order)
        heavy = walked.record.recorded and walked.blamed.error_type in _COSTS
        if heavy and attempts and not walked.record.last:
            # What recording costs must not cost the verdict: in its stead, one without.
            _log.warning("recorder.gave_way", action="run", run_id=request.run_id)
            walked = await judge.attempt(replace(order, may_record=False))
        record = walked.record
        attempt = await walker.compare(
            request, judged(order.number, order.span_id, record, walked.blamed)
        )
        evidence = record.report.evidence if record.report else ()
        attempts.append(walker.keep(request, time.started_at, attempt, evidence))
        # Judging it took its time as well.
        rest = max(0.0, journey.confirm_after - (clock.monotonic() - walked.ended))
        room = _room(request, time.passed() + _LAUNCH) and not record.last
        confirm = journey.confirm and _may_confirm(request, time.passed() + rest)
        if not (request.again and wants_another(attempts, confirm=confirm, room=room)):
            return _finish(request, attempts, time.started_at, time.now())
        if attempt.result is Result.FAIL:
            await walker.rest(rest)
        order = AttemptOrder(len(attempts) + 1, ids.span_id(), record.worker, not heavy)


def _room(request: RunRequest, spent: float) -> bool:
    """Whether another attempt is over before the next slot, so many seconds from the start."""
    journey = request.journey
    within = journey.interval if request.closer_within is None else request.closer_within
    return spent + journey.timeout + journey.grace <= within


def _may_confirm(request: RunRequest, spent: float) -> bool:
    """Whether a failure may be confirmed so late: of a closer run only where there is room."""
    return request.closer_within is None or _room(request, spent)


@dataclass(frozen=True, slots=True)
class _Walked:
    """An attempt's record, whose trouble it was, and when it ended on the monotonic clock."""

    record: AttemptRecord
    blamed: Blame
    ended: float


@dataclass(frozen=True, slots=True)
class _Judge:
    """Has attempts of one run made, and blames each."""

    request: RunRequest
    walker: Walker
    network: Network
    clock: Clock

    async def attempt(self, order: AttemptOrder) -> _Walked:
        record = await self.walker.walk(self.request, order)
        # On the clock that nobody sets: one set back must not make sites that failed at once
        # into sites that failed an hour apart.
        ended = self.clock.monotonic()
        down = await _network_down(record, self.request, self.network, ended)
        blamed = blame(record, self.request.journey.timeout, network_down=down)
        return _Walked(record, blamed, ended)


def interrupted(request: RunRequest, started_at: float, ended_at: float, why: str) -> RunResult:
    """Return the result of a run whose agent died, or was told to stop, under it."""
    return replace(
        _result(request, (), started_at, ended_at),
        error_type=ErrorType.WORKER_LOST,
        error=why,
    )


async def _network_down(
    record: AttemptRecord, request: RunRequest, network: Network, now: float
) -> bool:
    journey = request.journey
    report = record.report
    if report is not None and report.unreachable:
        site = journey.site
        return await network.is_down(site.name, now, journey.interval, site.url)
    if report is not None and any(
        key.startswith("first ") and key != "first failed" for key in report.requests
    ):
        network.answered(journey.site.name, now)
    return False


def _finish(
    request: RunRequest, attempts: list[Attempt], started_at: float, ended_at: float
) -> RunResult:
    verdict = decide(attempts)
    return replace(
        _result(request, tuple(attempts), started_at, ended_at),
        result=verdict.result,
        error_type=verdict.error_type,
        error=verdict.error,
        duration=attempts[verdict.decided_by].duration,
        decided_by=verdict.decided_by,
    )


def _result(
    request: RunRequest, attempts: tuple[Attempt, ...], started_at: float, ended_at: float
) -> RunResult:
    return RunResult(
        run_id=request.run_id,
        journey=request.journey,
        location=request.location,
        trigger=request.trigger,
        trace_id=request.trace_id,
        span_id=request.span_id,
        scheduled_at=request.scheduled_at,
        started_at=started_at,
        ended_at=ended_at,
        result=Result.NOT_MEASURED,
        error_type=None,
        error="",
        duration=ended_at - started_at,
        attempts=attempts,
        closer=request.closer_within is not None,
        parent_id=request.parent_id,
    )
