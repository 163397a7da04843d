"""How a journey behaves over many walks: what passed, how long steps took, what differed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from agent.core.results import Result, StepOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.results import Attempt, RunResult

_LARGE_SHARE: Final = 0.5
"""How much more often something is seen in fails than in passes to be told."""
_SLOWER: Final = 1.5
_SLOWER_BY: Final = 0.2
"""Seconds, and a factor, by which a step is slower before a fail to be told."""
_REQUESTS: Final = {
    "first http_error": "an answer of 400 or above from the site",
    "first failed": "a request to the site that failed",
    "third http_error": "an answer of 400 or above from a third party",
    "third failed": "a request to a third party that failed",
}


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long one step took in the walks that passed it, in seconds."""

    name: str
    passed: int
    reached: int
    median: float | None = None
    p95: float | None = None
    shortest: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True)
class Repeated:
    """What several walks of one journey came to."""

    walks: int
    passed: int
    measured: int
    """Walks that say something about the target: all but ``not_measured``."""
    steps: tuple[StepTimes, ...]
    failures: tuple[tuple[int, str], ...]
    """How many walks failed in what way, the most frequent first."""
    differences: tuple[str, ...]
    """What was seen in fails and not, or less, in passes."""

    @property
    def share(self) -> float | None:
        """The share of the measured walks that passed; None where nothing was measured."""
        return self.passed / self.measured if self.measured else None


def summarise(runs: Sequence[RunResult]) -> Repeated:
    """Return what the walks of one journey came to."""
    measured = [run for run in runs if run.result is not Result.NOT_MEASURED]
    passed = [run for run in measured if run.result is not Result.FAIL]
    failed = [run for run in measured if run.result is Result.FAIL]
    return Repeated(
        walks=len(runs),
        passed=len(passed),
        measured=len(measured),
        steps=tuple(_steps(runs)),
        failures=tuple((count, what) for what, count in _failures(runs).most_common()),
        differences=tuple(_differences(_decided(passed), _decided(failed))),
    )


def _decided(runs: Sequence[RunResult]) -> list[Attempt]:
    return [run.attempts[run.decided_by] for run in runs if run.attempts]


def _steps(runs: Sequence[RunResult]) -> Iterator[StepTimes]:
    """Yield the times of each step, in the order in which steps were first seen."""
    seen: dict[str, list[float]] = {}
    reached: Counter[str] = Counter()
    for attempt in _decided(runs):
        for step in attempt.steps:
            times = seen.setdefault(step.name, [])
            reached[step.name] += step.result is not StepOutcome.SKIPPED
            if step.result is StepOutcome.PASS and step.duration is not None:
                times.append(step.duration)
    for name, times in seen.items():
        if not times:
            yield StepTimes(name, 0, reached[name])
            continue
        yield StepTimes(
            name,
            len(times),
            reached[name],
            median(times),
            _p95(times),
            min(times),
            max(times),
        )


def _p95(times: Sequence[float]) -> float:
    """Return the smallest time that 95 % of all don't exceed."""
    ordered = sorted(times)
    return ordered[-(-95 * len(ordered) // 100) - 1]


def _failures(runs: Sequence[RunResult]) -> Counter[str]:
    found: Counter[str] = Counter()
    for run in runs:
        if run.error_type is None:
            continue
        where = f' in "{run.failed_step}"' if run.failed_step else ""
        found[f"{run.error_type.value}{where}: {run.error.partition(chr(10))[0]}"] += 1
    return found


def _differences(passed: Sequence[Attempt], failed: Sequence[Attempt]) -> Iterator[str]:
    """Yield what tells fails from passes; nothing where there are none of either."""
    if not passed or not failed:
        return
    for kind, what in _REQUESTS.items():
        in_failed = sum(1 for one in failed if one.requests.get(kind))
        in_passed = sum(1 for one in passed if one.requests.get(kind))
        if in_failed / len(failed) - in_passed / len(passed) >= _LARGE_SHARE:
            yield f"{what}: {_of(in_failed, failed, 'fail')}, {_of(in_passed, passed, 'pass')}"
    before = _durations(failed)
    for name, usual in _durations(passed).items():
        if name not in before:
            continue
        slow, normal = median(before[name]), median(usual)
        if slow >= _SLOWER * normal and slow - normal >= _SLOWER_BY:
            yield f'"{name}" took {slow:.2f} s in walks that failed, {normal:.2f} s in others'


def _of(count: int, all_: Sequence[Attempt], word: str) -> str:
    plural = {"fail": "fails", "pass": "passes"}[word]
    return f"in {count} of {len(all_)} {plural if len(all_) != 1 else word}"


def _durations(attempts: Sequence[Attempt]) -> dict[str, list[float]]:
    """Return how long each step took where it passed, by its name."""
    found: dict[str, list[float]] = {}
    for attempt in attempts:
        for step in attempt.steps:
            if step.result is StepOutcome.PASS and step.duration is not None:
                found.setdefault(step.name, []).append(step.duration)
    return found
