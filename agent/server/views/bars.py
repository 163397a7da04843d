"""Bars of what happened: five states, each with a shape of its own beside its colour.

A pass is a plain bar. A fail is taller and stands on a mark. A flaky one is broken in two. What
was not measured is hatched, faintly where nothing is known; what was paused is a stub.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEIGHT: Final = 28
"""Of the drawing, in its own units."""
STEP: Final = 5
"""From the left side of one bar to that of the next."""
_WIDTH: Final = 3.5
_GROUND: Final = 24.0
_TOP: Final = 4.0
_STUB: Final = 19.0
_GAP: Final = 1.0
_BREAK: Final = 1.5
_LEAST: Final = 4.5
"""The height that something which happened has at least, however seldom it did."""

_WORST_FIRST: tuple[str, ...] = ("fail", "flaky", "unknown", "pass", "none", "rest")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is made of, and in words what it tells.

    ``counts`` says how often each state was; one alone makes a bar of that state.
    """

    counts: Mapping[str, float]
    told: str
    over: bool = False
    """Whether it is hatched over: it counts, but nobody was paged for it."""
    address: str = ""
    """Of what it tells about, on this server; "": none."""

    @property
    def state(self) -> str:
        """The worst that it is made of."""
        return next((state for state in _WORST_FIRST if self.counts.get(state)), "none")


@dataclass(frozen=True, slots=True)
class Drawing:
    """Outlines to fill, one for each state that there is; and how wide all of it is."""

    width: int
    outlines: Mapping[str, str]
    over: str
    """What is hatched over besides."""


def draw(bars: Sequence[Bar]) -> Drawing:
    """Lay the bars side by side, as few outlines as there are states."""
    outlines: dict[str, list[str]] = {}
    over = []
    for number, bar in enumerate(bars):
        left = number * STEP
        for state, top, height in _parts(bar):
            outlines.setdefault(state, []).append(_rectangle(left, top, height))
        if bar.over:
            over.append(_rectangle(left, _TOP, _GROUND - _TOP))
    paths = {state: "".join(outlines[state]) for state in _WORST_FIRST if state in outlines}
    return Drawing(max(1, len(bars)) * STEP, paths, "".join(over))


def _parts(bar: Bar) -> list[tuple[str, float, float]]:
    """Return what a bar is made of: state, top and height of each part."""
    worst = bar.state
    if worst == "rest":
        return [("rest", _STUB, _GROUND - _STUB)]
    # What rested is no part of what was measured; a bar that is nothing else is a stub.
    found = [state for state in _WORST_FIRST[:-1] if bar.counts.get(state)] or ["none"]
    total = sum(bar.counts.get(state, 0) for state in found) or 1
    top = 0.0 if worst == "fail" else _TOP
    room = _GROUND - top - (len(found) - 1) * _GAP
    heights = _shared(room, [bar.counts.get(state, 0) / total for state in found])
    parts = []
    for state, height in zip(found, heights, strict=True):
        if state == "flaky":
            half = (height - _BREAK) / 2
            parts += [(state, top, half), (state, top + half + _BREAK, half)]
        else:
            parts.append((state, top, height))
        top += height + _GAP
    if worst == "fail":
        parts.append(("fail", _GROUND + 2, HEIGHT - _GROUND - 2))
    return parts


def _shared(room: float, shares: Sequence[float]) -> list[float]:
    """Share out the height, so that what was seldom is seen all the same."""
    rest = room - _LEAST * len(shares)
    return [_LEAST + rest * share for share in shares]


def _rectangle(left: float, top: float, height: float) -> str:
    return f"M{left:g} {top:g}h{_WIDTH:g}v{height:g}h-{_WIDTH:g}z"
