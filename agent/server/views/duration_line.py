"""The line of durations: a median and a 95th percentile for each day, from 0 upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.server.documents import StretchDocument

_STEP: Final = 5
_HEIGHT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Line:
    """Outlines by figure, empty where nothing passed; the last figures, and that at the top."""

    paths: dict[str, str]
    width: int
    median: float
    p95: float
    most: float


def line(stretches: Sequence[StretchDocument]) -> Line:
    """Draw stretches side by side; those in which nothing passed leave a gap."""
    medians = [one["median"] for one in stretches]
    above = [one["p95"] for one in stretches]
    known = [value for value in (*medians, *above) if value is not None]
    most = max(known, default=0.0) or 1.0
    paths = {"median": _path(medians, most), "p95": _path(above, most)}
    return Line(paths, max(1, len(stretches)) * _STEP, _last(medians), _last(above), most)


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
