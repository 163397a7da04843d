"""What a finished run says of its journey, and the turn that the journey takes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.model import DOWN_CONFIRMED
from agent.core.slowness import was_slow

if TYPE_CHECKING:
    from agent.core.results import Result, RunResult


@dataclass(frozen=True, slots=True)
class RunEnd:
    """Of a finished run what moves its journey's state."""

    journey: str
    location: str
    result: Result
    started_at: float
    ended_at: float
    slow: bool | None = None
    """Whether it was slow; None where it says nothing about that."""
    down_after: int = DOWN_CONFIRMED
    """Fails in a row that make its journey down."""
    error_type: str = ""
    step: str = ""
    error: str = ""
    """The first line of what it failed on, as the two above; "" where there is nothing."""
    run_id: str = ""
    order: float = 0.0
    """By which runs of one journey follow each other, on whatever machine: when it was due."""

    @classmethod
    def of(cls, run: RunResult, now: float) -> RunEnd:
        """Take it from the result of a run that has just ended, at Unix time ``now``.

        Under it the clock may have been set, so what it says of its times may be long gone by,
        or yet to come.
        """
        began = now - (run.ended_at - run.started_at)
        return cls(
            journey=run.journey.name,
            location=run.location,
            result=run.result,
            started_at=began,
            ended_at=now,
            slow=was_slow(run),
            down_after=run.journey.down_after,
            error_type=run.error_type.value if run.error_type else "",
            step=run.failed_step,
            error=run.error.partition("\n")[0],
            run_id=run.run_id,
            order=began if run.scheduled_at is None else run.scheduled_at,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A journey that went down with a run, or came back with one."""

    down: bool
    since: float
    """When the first of its fails in a row started, in Unix seconds."""
    seconds: float
    """From then until this run's end."""
    fails: int
    error_type: str
    step: str
    error: str
    """What the first of the fails failed on, in a line, as the two above."""
