"""The steps of one attempt: timed, nested, traced and told as they happen."""

from __future__ import annotations

import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.core import names
from agent.core.outline import StepBegun
from agent.core.results import SpanData, Step, StepOutcome
from agent.protocol.messages import SpanEnded, StepEnded, StepStarted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from agent.core.results import Attribute
    from agent.protocol.messages import FromWorker


class Steps:
    """Keeps the stack of open steps.

    ``before_pass`` runs when a step is about to pass. It tells what the step's span is to carry
    besides, and what there is to object, if anything; or raises. ``describe`` says what a step
    failed on. ``group`` opens its group in the recording; that is not the step's time.
    """

    def __init__(
        self,
        trace_id: str,
        attempt_id: str,
        send: Callable[[FromWorker], None],
        before_pass: Callable[[], Awaitable[tuple[Mapping[str, Attribute], BaseException | None]]],
        describe: Callable[[BaseException], str],
        group: Callable[[str], AbstractAsyncContextManager[None]],
    ) -> None:
        self._trace_id = trace_id
        self._attempt_id = attempt_id
        self._send = send
        self._before_pass = before_pass
        self._describe = describe
        self._group = group
        self._open: list[tuple[str, str]] = []
        self._optional: set[str] = set()
        """The ids of the open steps whose failure the journey outlives."""
        self._reached: set[str] = set()
        self.begun: list[StepBegun] = []
        """The steps that have begun, in that order; those that passed with their time."""
        self.ended: list[Step] = []
        """The steps that are over, in the order of their ends."""

    @property
    def current(self) -> str:
        """The id of the span that is open now: the innermost step's, or the attempt's."""
        return self._open[-1][1] if self._open else self._attempt_id

    @property
    def path(self) -> str:
        """The names of the open steps, outermost first."""
        return " › ".join(name for name, _ in self._open)

    @asynccontextmanager
    async def step(
        self, name: str, slow: float | None = None, *, optional: bool = False
    ) -> AsyncIterator[None]:
        """Time and trace what happens inside; above ``slow`` seconds it is slow.

        What it fails on is raised all the same; ``optional`` says of it, and of the steps in it,
        that the journey goes on.
        """
        async with self._group(name), self._timed(name, slow, optional=optional):
            yield

    @asynccontextmanager
    async def _timed(self, name: str, slow: float | None, *, optional: bool) -> AsyncIterator[None]:
        parent, span_id, depth = self.current, secrets.token_hex(8), len(self._open)
        optional = optional or parent in self._optional
        begun = len(self.begun)
        self.begun.append(StepBegun(name))
        self._reached.add(name)
        self._open.append((name, span_id))
        if optional:
            self._optional.add(span_id)
        self._send(StepStarted(name, depth))
        start_ns, start = time.time_ns(), time.perf_counter()
        end: float | None = None
        failure: BaseException | None = None
        seen: Mapping[str, Attribute] = {}
        try:
            yield
            # What the agent looks at now is not the step's time.
            end = time.perf_counter()
            seen, objection = await self._before_pass()
            if objection is not None:
                raise objection  # noqa: TRY301 - the step ends as if its body had raised it
        except BaseException as error:
            failure = error
            raise
        finally:
            took = (end or time.perf_counter()) - start
            self._open.remove((name, span_id))
            self._optional.discard(span_id)
            outcome = StepOutcome.FAIL if failure else StepOutcome.PASS
            if outcome is StepOutcome.PASS:
                self.begun[begun] = StepBegun(name, round(took, 2))
            if outcome is StepOutcome.PASS and slow is not None and took > slow:
                seen = {**seen, names.STEP_SLOW: True}
            if optional:
                seen = {**seen, names.STEP_OPTIONAL: True}
            span = SpanData(
                name=names.STEP_SPAN.format(name=name),
                trace_id=self._trace_id,
                span_id=span_id,
                parent_id=parent,
                start_ns=start_ns,
                end_ns=start_ns + int(took * 1e9),
                status="error" if failure else "unset",
                message=self._describe(failure) if failure else "",
                attributes={names.STEP_NAME: name, names.STEP_RESULT: outcome.value, **seen},
            )
            self._send(SpanEnded(span))
            self._end(Step(name, outcome, took, slow, optional), depth)

    def skip(self, names: Sequence[str]) -> None:
        """Tell of the steps that were never reached."""
        for name in names:
            if name not in self._reached:
                self._end(Step(name, StepOutcome.SKIPPED), 0)

    def _end(self, step: Step, depth: int) -> None:
        self.ended.append(step)
        self._send(StepEnded(step, depth))
