"""Which times and vitals a finished run adds to which histograms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core import names
from agent.core.results import Result, StepOutcome
from agent.telemetry.attributes import NAME, fit_text
from agent.telemetry.counts import shared_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.core.results import Attempt, RunResult


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a histogram, and the span that it leads to."""

    metric: str
    attributes: dict[str, str]
    value: float
    span_id: str


def of_result(run: RunResult, bounded: Callable[[str, str], str]) -> Iterator[Measurement]:
    """Yield what a run of the schedule measured.

    ``bounded`` gives for a journey and a step's name the name that the step is counted under.
    """
    if not run.attempts:
        return
    shared = shared_by(run)
    attempt = run.attempts[run.decided_by]
    result = {names.RESULT: attempt.result.value}
    yield Measurement(names.DURATION, {**shared, **result}, attempt.duration, run.span_id)
    if attempt.result is Result.NOT_MEASURED:
        # The agent's trouble took this time, not the target.
        return
    span_ids = _step_spans(attempt)
    for step in attempt.steps:
        if step.duration is not None and step.result is not StepOutcome.SKIPPED:
            name = bounded(run.journey.name, fit_text(step.name, NAME))
            of_step = {**shared, names.STEP: name, names.RESULT: step.result.value}
            span_id = next(span_ids[step.name], attempt.span_id)
            yield Measurement(names.STEP_DURATION, of_step, step.duration, span_id)
    for vital in attempt.vitals:
        where = vital.span_id or attempt.span_id
        if vital.vital == "cls":
            yield Measurement(names.WEB_VITAL_CLS, shared, vital.value, where)
        else:
            of_vital = {**shared, names.VITAL: vital.vital}
            yield Measurement(names.WEB_VITAL, of_vital, vital.value, where)


def _step_spans(attempt: Attempt) -> defaultdict[str, Iterator[str]]:
    """Return the spans of each step's name in the order of their ends, which is the steps' own."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for span in attempt.spans:
        if isinstance(name := span.attributes.get(names.STEP_NAME), str):
            found[name].append(span.span_id)
    spans_of: defaultdict[str, Iterator[str]] = defaultdict(lambda: iter(()))
    spans_of.update((name, iter(ids)) for name, ids in found.items())
    return spans_of
