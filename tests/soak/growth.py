"""What grew after the warm-up, by how much, and whether it may.

Load comes in waves, so single samples say little: memory is compared by the medians of the
first and the last quarter. Of what comes and goes with every run only the floor tells what
stays, so those are compared by their lowest decile.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import linear_regression, median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.soak.samples import Sample

MIB = 1 << 20


def _floor(values: Sequence[float]) -> float:
    return quantiles(values, n=10, method="inclusive")[0]


@dataclass(frozen=True, slots=True)
class _Measure:
    """How one figure is summed up, and by how much it may grow; None: it is only shown."""

    unit: str
    sum_up: Callable[[Sequence[float]], float]
    bound: float | None


MEASURES = {
    "rss": _Measure("MiB", median, 5 * MIB),
    "uss": _Measure("MiB", median, None),
    "fds": _Measure("", _floor, 2),
    # The loop's own pool of threads grows once more work than ever comes together; to six.
    "threads": _Measure("", _floor, 2),
    "processes": _Measure("", _floor, 4),
    "scratch": _Measure("MiB", _floor, MIB),
    "artifacts": _Measure("MiB", median, None),
    "state": _Measure("MiB", median, None),
}


@dataclass(frozen=True, slots=True)
class Growth:
    """One figure over a soak; in bytes where its unit is MiB."""

    name: str
    unit: str
    first: float
    last: float
    most: float
    slope: float
    """By which it grows in 1,000 runs, on the line of least squares."""
    bound: float | None

    @property
    def broken(self) -> str:
        """The bound that was broken, in a sentence; empty where none was."""
        if self.bound is None or self.last - self.first < self.bound:
            return ""
        return f"{self.name} grew from {self.show(self.first)} to {self.show(self.last)}"

    def show(self, value: float) -> str:
        """Write a value of this figure."""
        return f"{value / MIB:.2f} {self.unit}" if self.unit else f"{value:.1f}"


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """Compare what came after the warm-up, first quarter with last.

    Raises:
        AssertionError: there are too few samples to tell anything.

    """
    quarter = len(samples) // 4
    assert quarter >= 3, f"{len(samples)} samples tell nothing"
    runs = [sample.runs for sample in samples]
    found = []
    for name, measure in MEASURES.items():
        values = [getattr(sample, name) for sample in samples]
        found.append(
            Growth(
                name,
                measure.unit,
                first=measure.sum_up(values[:quarter]),
                last=measure.sum_up(values[-quarter:]),
                most=max(values),
                slope=1000 * linear_regression(runs, values).slope,
                bound=measure.bound,
            )
        )
    return found
