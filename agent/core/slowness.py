"""Passes that took too long: a mark on a run, and no result of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.results import Result, StepOutcome
from agent.core.units import format_duration

if TYPE_CHECKING:
    from agent.core.results import RunResult

SHOWN_FROM = 2
"""Slow passes in a row from which on anybody is shown that a journey is slow."""


@dataclass(frozen=True, slots=True)
class TooSlow:
    """What of a pass was above its limit: the walk, or one of its steps. Times are seconds."""

    step: str | None
    """None: the walk as a whole."""
    limit: float
    seconds: float

    @property
    def shown(self) -> str:
        """What a person reads."""
        what = f'step "{self.step}": ' if self.step is not None else ""
        return f"{what}{self.seconds:.2f} s, above its limit of {format_duration(self.limit)}"


def too_slow(run: RunResult) -> tuple[TooSlow, ...]:
    """Return what of a pass or flaky run was above its limit, in the attempt that decided.

    Nothing where the agent itself held that attempt up: its times are not the target's.
    """
    if run.result not in {Result.PASS, Result.FLAKY} or not run.attempts:
        return ()
    attempt = run.attempts[run.decided_by]
    if attempt.held_up:
        return ()
    timed = [
        (None, run.journey.slow, attempt.duration),
        *(
            (step.name, step.slow, step.duration)
            for step in attempt.steps
            if step.result is StepOutcome.PASS
        ),
    ]
    return tuple(
        TooSlow(step, limit, seconds)
        for step, limit, seconds in timed
        if limit is not None and seconds is not None and seconds > limit
    )


def was_slow(run: RunResult) -> bool | None:
    """Whether a run was slow; None where it says nothing about that.

    That is what did not pass, and what the agent itself held up.
    """
    if run.result not in {Result.PASS, Result.FLAKY} or not run.attempts:
        return None
    return None if run.attempts[run.decided_by].held_up else bool(too_slow(run))
