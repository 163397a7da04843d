"""The line of durations: a median and a 95th percentile for each day or hour, from 0 upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.server.documents.shares import StretchDocument

_STEP: Final = 5
_HEIGHT: Final = 100.0
_FEWEST: Final = 2
"""Stretches that make a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """Outlines by figure, the last figures, and that at the top."""

    paths: dict[str, str]
    width: int
    begin: str
    """When it begins."""
    median: float
    p95: float
    most: float


def line(stretches: Sequence[StretchDocument]) -> Line | None:
    """Draw stretches side by side, from the first in which anything passed; None: two have not.

    Those in which nothing passed leave a gap.
    """
    passed = [number for number, one in enumerate(stretches) if one["median"] is not None]
    if len(passed) < _FEWEST:
        return None
    shown = stretches[passed[0] :]
    medians = [one["median"] for one in shown]
    above = [one["p95"] for one in shown]
    most = max(value for value in (*medians, *above) if value is not None) or 1.0
    paths = {"median": _path(medians, most), "p95": _path(above, most)}
    width, begin = len(shown) * _STEP, shown[0]["at"]
    return Line(paths, width, begin, _last(medians), _last(above), most)


def _path(values: Sequence[float | None], most: float) -> str:
    pieces = []
    pen_down = False
    for number, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        height = _HEIGHT - _HEIGHT * value / most
        # Each day is a level of its width, so that one day alone is seen as well.
        pieces.append(f"{'L' if pen_down else 'M'}{number * _STEP} {height:.1f}h{_STEP}")
        pen_down = True
    return "".join(pieces)


def _last(values: Sequence[float | None]) -> float:
    return next((value for value in reversed(values) if value is not None), 0.0)
