"""Where an attempt's steps and requests stand on its time, in per cent of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_TICKS: Final = 5
"""Marks on the time line, at most."""
_NARROWEST: Final = 0.4
"""Per cent of the line below which nothing could be seen."""
_NICE: Final = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A time line of so many seconds from the attempt's start."""

    length: float

    @classmethod
    def over(cls, spans: Iterable[tuple[float, float | None]]) -> Scale:
        """Make one that holds everything: (start, duration) in seconds, None: it goes on."""
        return cls(max((start + (lasted or 0) for start, lasted in spans), default=0) or 1.0)

    def left(self, start: float) -> str:
        """Say where something starts."""
        return f"{self._share(start):.2f}%"

    def width(self, start: float, lasted: float | None) -> str:
        """Say how wide it is; what goes on reaches to the end."""
        end = self.length if lasted is None else start + lasted
        return f"{max(_NARROWEST, self._share(end) - self._share(start)):.2f}%"

    def ticks(self) -> list[float]:
        """Return round moments on the line, in seconds."""
        rough = self.length / _TICKS
        size = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else _below_one(rough)
        step = next(size * nice for nice in _NICE if size * nice >= rough)
        return [step * number for number in range(1, int(self.length / step) + 1)]

    def _share(self, at: float) -> float:
        return min(100.0, max(0.0, 100 * at / self.length))


def _below_one(rough: float) -> float:
    size = 1.0
    while size > rough:
        size /= 10
    return size
