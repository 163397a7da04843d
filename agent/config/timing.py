"""Whether the times of one journey fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from agent.core.errors import Problem
from agent.core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.core.model import Definition

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """A value, and the place where it can be changed."""

    value: T
    where: str


@dataclass(frozen=True, slots=True)
class Timing:
    """The times that a journey is to run by, in seconds; ``every`` is as it was written."""

    timeout: Given[float]
    grace: float
    interval: float
    every: Given[str]
    slow: Given[float | None]
    every_failing: Given[float | None]


def misfits(definition: Definition, timing: Timing, folder: str) -> Iterator[Problem]:
    """Yield what does not fit; ``folder`` is the journeys' name for it in places of the source."""
    name = f"journey {definition.name}:"
    timeout = timing.timeout
    walk = (
        f"timeout {format_duration(timeout.value)} + grace {format_duration(timing.grace)} is more"
    )
    if not _fits(timeout.value + timing.grace, timing.interval):
        yield Problem(
            timeout.where,
            f"{name} {walk} than the interval of {format_duration(timing.interval)} "
            f"(every = {timing.every.value!r}, from {timing.every.where}); "
            "shorten the timeout or run it less often",
        )
    closer = timing.every_failing
    if closer.value is not None and not _fits(timeout.value + timing.grace, closer.value):
        yield Problem(
            closer.where,
            f"{name} {walk} than every_failing {format_duration(closer.value)} "
            f"(timeout from {timeout.where}); shorten the timeout or make every_failing longer",
        )
    slow = timing.slow
    if slow.value is not None and slow.value > timeout.value:
        yield Problem(
            slow.where,
            f"{name} slow {format_duration(slow.value)} is above the timeout of "
            f"{format_duration(timeout.value)} (from {timeout.where}), at which it fails; make "
            "it shorter",
        )
    yield from _steps(definition, timing, folder)


def _steps(definition: Definition, timing: Timing, folder: str) -> Iterator[Problem]:
    whole, what = timing.slow, "slow"
    if whole.value is None:
        whole, what = Given(timing.timeout.value, timing.timeout.where), "timeout"
    for step in definition.step_limits:
        if whole.value is not None and step.slow > whole.value:
            yield Problem(
                f"{folder}/{definition.file}:{step.line}",
                f"journey {definition.name}: step {step.name!r}: slow {format_duration(step.slow)} "
                f"is above the journey's {what} of {format_duration(whole.value)} (from "
                f"{whole.where}); make it shorter",
            )


def _fits(walk: float, room: float) -> bool:
    # Whole microseconds: in fractions of seconds 31.602 and 1 are more than 32.602.
    return round((walk - room) * 1e6) <= 0
