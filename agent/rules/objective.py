"""How much may fail, and how fast a budget for failures may burn before somebody is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT: Final = 99.5
"""Per cent of the measured runs that shall pass, over 30 days."""
LEAST: Final = 50.0

WINDOWS: Final = {
    "5m": 300,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "6h": 21_600,
    "1d": 86_400,
    "3d": 259_200,
    "30d": 2_592_000,
}
"""The windows over which the success ratio is recorded, and their seconds."""

_MOST: Final = 0.9
"""The highest share of failures that is waited for, however small the objective is."""
_RUNS_IN_SHORT: Final = 2


@dataclass(frozen=True, slots=True)
class Burn:
    """A pace at which the budget may not burn, over a long window and, still now, a short one."""

    factor: float
    long: str
    short: str

    def share(self, objective: float) -> float:
        """Return the share of failed runs above which an objective (per cent) burns so fast."""
        return round(min(self.factor * (100 - objective) / 100, _MOST), 6)


FAST: Final = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
"""2 % of a month's budget in an hour, 5 % in six."""
SLOW: Final = (Burn(3, "1d", "2h"), Burn(1, "3d", "6h"))
"""10 % in a day, 10 % in three."""


def fitting(burns: tuple[Burn, ...], interval: float) -> tuple[Burn, ...]:
    """Return those that a journey's runs can fill; its interval is in seconds.

    The short window is widened until it holds two runs: one that often holds none would let
    the alert go and come. What isn't short any more is left out.
    """
    found = []
    for burn in burns:
        least = max(WINDOWS[burn.short], _RUNS_IN_SHORT * interval)
        short = next((name for name, seconds in WINDOWS.items() if seconds >= least), burn.long)
        if WINDOWS[short] < WINDOWS[burn.long]:
            found.append(Burn(burn.factor, burn.long, short))
    return tuple(found)
