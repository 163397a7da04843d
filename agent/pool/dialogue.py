"""One walk, as the supervisor hears it: what crosses the pipe, and the deadline held here."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.core.clock import SteadyTime
from agent.core.errors import ErrorType
from agent.core.first_of import first_of
from agent.core.limits import MOST_SPANS, MOST_STEPS
from agent.core.results import AttemptRecord, SpanData, Step, StepOutcome
from agent.pool.cpu_wait import CpuWait
from agent.pool.memory import oom_kills
from agent.pool.questions import Questions
from agent.protocol.messages import (
    Blocked,
    FromWorker,
    GiveWay,
    Idle,
    Logged,
    OutcomeKnown,
    SecretWanted,
    SignatureWanted,
    SpanEnded,
    Started,
    StepEnded,
    StepStarted,
    Walk,
    Walked,
)

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.core.results import AttemptReport
    from agent.pool.process import WorkerProcess
    from agent.pool.stops import Stop
    from agent.pool.walk_listener import Answers, WalkListener

_CRASHES = frozenset({ErrorType.PAGE_CRASH, ErrorType.BROWSER_CRASH})
_LAUNCH_BUDGET = 20.0
"""Seconds from the order until the journey begins; the worker gives up launching at 15."""
_CLOSE_WAIT = 5.0
"""Seconds that a worker may take to close its browser after a walk."""
_BLOCKED_FOR = 2.0
"""Seconds for which a standstill that was reported, which happens four times a second, goes on."""
_GIVE_WAY = 0.7
"""The share of the memory bound at which the recorder gives way, and evidence after it."""
_PIPE = 0.25
"""Seconds of leave for the last message to cross the pipe."""


class Dialogue:
    """Drives one walk in one worker; ``run`` always returns, in bounded time."""

    def __init__(
        self,
        worker: WorkerProcess,
        order: Walk,
        listener: WalkListener,
        answers: Answers,
        stop: Stop,
        clock: Clock,
    ) -> None:
        self._worker = worker
        self._order = order
        self._listener = listener
        self._questions = Questions(answers)
        self._stop = stop
        self._clock = clock
        self._started = asyncio.Event()
        self._over: asyncio.Future[AttemptReport | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._idle: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._steps: list[Step] = []
        self._open: Counter[str] = Counter()
        self._spans: list[SpanData] = []
        self._blocked = Blocked(0.0, "", in_journey=False)
        self._blocked_reported = -_BLOCKED_FOR
        self._outcome: AttemptReport | None = None
        self._giving_way = False
        self._oom_before = oom_kills()
        self._cpu_wait = CpuWait()
        self._death: ErrorType | None = None
        self._detail = ""

    async def run(self) -> AttemptRecord:
        """Order the walk and wait for its end, the worker's end or the deadline."""
        time = SteadyTime(self._clock)
        self._worker.listener = self._on_message
        self._worker.output = self._listener.on_printed
        gone = asyncio.create_task(self._watch_worker())
        deadline = asyncio.create_task(self._hold_deadline())
        stopping = asyncio.create_task(self._heed_stop())
        self._worker.send(self._order)
        try:
            report = await self._over
            blocked_by = self._blocked_by()
        finally:
            gone.cancel()
            deadline.cancel()
            stopping.cancel()
        steps = self._steps
        if report is None:
            unended = reversed(list(self._open.elements()))
            steps = [*steps, *(Step(name, StepOutcome.FAIL) for name in unended)]
        return AttemptRecord(
            worker=self._worker.number,
            started_at=time.started_at,
            ended_at=time.now(),
            report=report,
            death=self._death,
            detail=self._detail,
            blocked_at=blocked_by if report is None else "",
            steps=tuple(steps),
            spans=tuple(self._spans),
            recorded=self._order.record_trace,
            cpu_wait=self._cpu_wait.seconds,
        )

    def end(self, death: ErrorType, detail: str) -> None:
        """End the walk from outside; the worker is killed by whoever called ``run``.

        What the journey came to stands where it was told before.
        """
        if not self._over.done():
            self._death, self._detail = death, detail
            self._over.set_result(self._outcome)

    def look(self, bound: int) -> None:
        """Look at what hangs below the worker: beyond ``bound`` bytes the walk ends.

        Near them what records must stop. Who doesn't record isn't looked at as closely, since
        measuring is dear.
        """
        tree = self._worker.tree
        tree.look()
        self._cpu_wait.look(tree.processes())
        near = round(bound * _GIVE_WAY) if self._order.record_trace else bound
        size = tree.memory(near)
        if size > bound:
            why = f"the run's processes held {size >> 20} MiB, {bound >> 20} allowed"
            self.end(ErrorType.OUT_OF_MEMORY, why)
        elif size > near and not self._giving_way:
            self._giving_way = True
            self._worker.send(GiveWay())

    async def until_idle(self) -> bool:
        """Wait until the worker's browser is gone; return whether it is fit for more."""
        try:
            await first_of(self._idle, self._worker.gone.wait(), limit=_CLOSE_WAIT)
        finally:
            # Not before: what was printed last comes after the report, by a pipe of its own.
            self._worker.output = self._worker.spawn.on_output
        return self._idle.done() and self._idle.result()

    def _blocked_by(self) -> str:
        """Return the journey's line that blocks the worker's loop, "" where none does."""
        silent = self._clock.monotonic() - self._blocked_reported
        return self._blocked.where if self._blocked.in_journey and silent < _BLOCKED_FOR else ""

    def _excused(self, report: AttemptReport) -> AttemptReport:
        """Take the blame for a crash off the page where the kernel killed for memory.

        It takes renderers first.
        """
        if report.error_type not in _CRASHES or oom_kills() == self._oom_before:
            return report
        why = f"the kernel killed a process for memory (after: {report.error})"
        return replace(report, error_type=ErrorType.OUT_OF_MEMORY, error=why)

    def _whole(self, report: AttemptReport) -> AttemptReport:
        """Return the last report under the outcome that was told: evidence changes no verdict."""
        if self._outcome is None:
            return self._excused(report)
        return replace(
            self._outcome, evidence=report.evidence, audit=report.audit, near=report.near
        )

    async def _watch_worker(self) -> None:
        await self._worker.gone.wait()
        if oom_kills() > self._oom_before:
            self.end(ErrorType.OUT_OF_MEMORY, "the kernel killed a process for memory")
        elif self._worker.protocol_error:
            why = f"the worker broke the protocol: {self._worker.protocol_error}"
            self.end(ErrorType.WORKER_LOST, why)
        else:
            self.end(ErrorType.WORKER_LOST, "the worker process died under the run")

    async def _heed_stop(self) -> None:
        await self._stop.asked()
        self._worker.halt()
        self.end(ErrorType.STOPPED, self._stop.why)

    async def _hold_deadline(self) -> None:
        try:
            async with asyncio.timeout(_LAUNCH_BUDGET):
                await self._started.wait()
        except TimeoutError:
            await self._clock.sleep(_PIPE)
        if not self._started.is_set():
            # A journey whose import hangs is no browser that doesn't start.
            importing = self._blocked_by() != ""
            self.end(
                ErrorType.WORKER_KILLED if importing else ErrorType.BROWSER_LAUNCH,
                f"no browser was ready within {_LAUNCH_BUDGET:.0f} s",
            )
            return
        journey = self._order.journey
        budget = journey.timeout + journey.grace + _PIPE
        until = self._clock.monotonic() + budget
        await self._clock.sleep(budget)
        if self._clock.monotonic() > until + _PIPE:
            # This process was stopped itself, or held up: the answer may wait in the pipe unread.
            await self._clock.sleep(_PIPE)
        self.end(
            ErrorType.WORKER_KILLED,
            f"no answer within timeout and grace ({journey.timeout:g} s + {journey.grace:g} s)",
        )

    def _on_message(self, message: FromWorker) -> None:  # noqa: C901, PLR0912 - one case a word
        match message:
            case Started():
                self._started.set()
            case StepStarted(name, depth):
                if len(self._steps) + self._open.total() < MOST_STEPS:
                    self._open[name] += 1
                    self._listener.on_step_started(name, depth)
            case StepEnded(step, depth):
                # A step that was never reached ends without a start.
                if step.name in self._open or len(self._steps) < MOST_STEPS:
                    self._step_ended(step, depth)
            case SpanEnded(span):
                if len(self._spans) < MOST_SPANS:
                    self._spans.append(span)
            case Logged(level, event, fields):
                self._listener.on_logged(level, event, fields)
            case SecretWanted(name):
                self._worker.send(self._questions.secret(name))
            case SignatureWanted(authority):
                self._worker.send(self._questions.signature(authority))
            case Blocked():
                self._blocked, self._blocked_reported = message, self._clock.monotonic()
            case OutcomeKnown(report):
                if self._outcome is None:
                    self._outcome = self._excused(report)
                    self._cpu_wait.look(self._worker.tree.processes())
            case Walked(report):
                if not self._over.done():
                    self._over.set_result(self._whole(report))
            case Idle(fit):
                if not self._idle.done():
                    self._idle.set_result(fit)
            case _:
                pass

    def _step_ended(self, step: Step, depth: int) -> None:
        if self._open[step.name] > 1:
            self._open[step.name] -= 1
        else:
            del self._open[step.name]
        self._steps.append(step)
        self._listener.on_step_ended(step, depth)
