"""Steps nest, are timed, traced and told as they happen, and each open one fails with a failure."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from agent.core.results import StepOutcome
from agent.protocol.messages import FromWorker, SpanEnded, StepEnded, StepStarted
from agent.worker.steps import Steps

TRACE, ATTEMPT = "a" * 32, "b" * 16


class Told(list[FromWorker]):
    @property
    def spans(self) -> dict[str, object]:
        return {one.span.name: one.span for one in self if isinstance(one, SpanEnded)}

    @property
    def ended(self) -> list[tuple[str, str, int]]:
        return [
            (one.step.name, one.step.result.value, one.depth)
            for one in self
            if isinstance(one, StepEnded)
        ]


def _ungrouped(_: str) -> contextlib.AbstractAsyncContextManager[None]:
    return contextlib.nullcontext()


async def _settled() -> tuple[dict[str, float], None]:
    return {"seen": 1.5}, None


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def steps(told: Told) -> Steps:
    return Steps(TRACE, ATTEMPT, told.append, _settled, repr, _ungrouped)


@pytest.mark.parametrize(("slow", "marked"), [(None, None), (60.0, None), (0.0, True)])
async def test_a_step_above_its_limit(steps, told, slow, marked) -> None:
    """The limit crosses the pipe with the step, and its span says that it was passed."""
    async with steps.step("Pay", slow):
        await asyncio.sleep(0)
    (ended,) = (one for one in told if isinstance(one, StepEnded))
    assert ended.step.slow == slow
    assert told.spans["step Pay"].attributes.get("footfall.step.slow") is marked


async def test_nesting(steps: Steps, told: Told) -> None:
    """A step's span hangs below the innermost open one, the first below the attempt."""
    assert steps.current == ATTEMPT
    async with steps.step("outer"):
        outer = steps.current
        async with steps.step("inner"):
            assert steps.path == "outer › inner"
            assert steps.current not in {outer, ATTEMPT}
        assert steps.current == outer
    assert (steps.current, steps.path) == (ATTEMPT, "")
    assert told.ended == [("inner", "pass", 1), ("outer", "pass", 0)]
    spans = told.spans
    assert spans["step outer"].parent_id == ATTEMPT
    assert spans["step inner"].parent_id == spans["step outer"].span_id == outer
    assert {span.trace_id for span in spans.values()} == {TRACE}
    assert spans["step inner"].start_ns <= spans["step inner"].end_ns
    assert spans["step outer"].status == "unset"


async def test_told_at_once(steps: Steps, told: Told) -> None:
    """A step is told when it begins, so that a killed run shows where it was."""
    async with steps.step("one"):
        assert told == [StepStarted("one", 0)]


async def test_failure_marks_each_open_step(steps: Steps, told: Told) -> None:
    """A failure fails every step that it passes through, described, and goes on."""

    async def walk() -> None:
        async with steps.step("outer"):
            async with steps.step("before"):
                pass
            async with steps.step("inner"):
                raise ValueError("no mug")

    with pytest.raises(ValueError, match="no mug"):
        await walk()
    assert told.ended == [("before", "pass", 1), ("inner", "fail", 1), ("outer", "fail", 0)]
    span = told.spans["step inner"]
    assert (span.status, span.message) == ("error", "ValueError('no mug')")
    assert span.attributes == {"footfall.step.name": "inner", "footfall.step.result": "fail"}


async def test_a_caught_failure(steps: Steps, told: Told) -> None:
    """A step whose failure the author catches has failed; the one around it has not."""
    async with steps.step("outer"):
        with contextlib.suppress(ValueError):
            async with steps.step("inner"):
                raise ValueError
    assert told.ended == [("inner", "fail", 1), ("outer", "pass", 0)]


async def test_cancellation(steps: Steps, told: Told) -> None:
    """A step that the deadline cancels has failed, and the cancellation is not swallowed."""
    inside = asyncio.Event()

    async def walk() -> None:
        async with steps.step("wait"):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(walk())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.ended == [("wait", "fail", 0)]


async def test_settling(told: Told) -> None:
    """What is found while a step settles fails that step."""

    async def refuse() -> tuple[dict[str, float], None]:
        raise AssertionError("answered 500")

    steps = Steps(TRACE, ATTEMPT, told.append, refuse, repr, _ungrouped)
    step = steps.step("open")
    await step.__aenter__()
    with pytest.raises(AssertionError, match="answered 500"):
        await step.__aexit__(None, None, None)
    assert told.ended == [("open", "fail", 0)]


async def test_an_objection(told: Told) -> None:
    """What there is to object fails the step, and what was seen with it stands on its span."""

    async def object_() -> tuple[dict[str, float], BaseException]:
        return {"seen": 1.5}, AssertionError("a script broke")

    step = Steps(TRACE, ATTEMPT, told.append, object_, repr, _ungrouped).step("open")
    await step.__aenter__()
    with pytest.raises(AssertionError, match="a script broke"):
        await step.__aexit__(None, None, None)
    assert told.ended == [("open", "fail", 0)]
    assert told.spans["step open"].attributes["seen"] == 1.5


async def test_what_settling_saw(steps: Steps, told: Told) -> None:
    """What was seen at its end stands on the step's span; a step that broke was not looked at."""
    async with steps.step("open"):
        pass
    with pytest.raises(ZeroDivisionError):
        async with steps.step("break"):
            raise ZeroDivisionError
    assert told.spans["step open"].attributes["seen"] == 1.5
    assert "seen" not in told.spans["step break"].attributes


async def test_side_by_side(steps: Steps, told: Told) -> None:
    """Steps that run at the same time each end as themselves, two of one name too."""

    async def walk(first: asyncio.Event, then: asyncio.Event) -> None:
        async with steps.step("same"):
            first.set()
            await then.wait()

    one, two = asyncio.Event(), asyncio.Event()
    await asyncio.gather(walk(one, two), walk(two, one))
    assert [name for name, _, _ in told.ended] == ["same", "same"]
    assert steps.current == ATTEMPT
    ids = {one.span.span_id for one in told if isinstance(one, SpanEnded)}
    assert len(ids) == 2


async def test_skipped(steps: Steps, told: Told) -> None:
    """Only the steps that were never reached are told as skipped, without a duration."""
    async with steps.step("one"):
        pass
    told.clear()
    steps.skip(["one", "two", "three"])
    assert told.ended == [("two", "skipped", 0), ("three", "skipped", 0)]
    assert {one.step.duration for one in told} == {None}
    assert {one.step.result for one in told} == {StepOutcome.SKIPPED}
