"""Burn rates: paces that a journey's runs can show, and shares that can be reached."""

from __future__ import annotations

import pytest

from agent.rules.objective import FAST, SLOW, Burn, fitting


@pytest.mark.parametrize(
    ("interval", "fast", "slow"),
    [
        (60.0, ["1h/5m", "6h/30m"], ["1d/2h", "3d/6h"]),
        (150.0, ["1h/5m", "6h/30m"], ["1d/2h", "3d/6h"]),
        (900.0, ["1h/30m", "6h/30m"], ["1d/2h", "3d/6h"]),
        (3600.0, ["6h/2h"], ["1d/2h", "3d/6h"]),
        (6 * 3600.0, [], ["3d/1d"]),
        (86_400.0, [], []),
        (30 * 86_400.0, [], []),
    ],
)
def test_a_short_window_holds_two_runs(interval: float, fast: list[str], slow: list[str]) -> None:
    """It is widened until it does, and a pace whose windows are then alike is left out."""
    assert [f"{burn.long}/{burn.short}" for burn in fitting(FAST, interval)] == fast
    assert [f"{burn.long}/{burn.short}" for burn in fitting(SLOW, interval)] == slow


@pytest.mark.parametrize(
    ("objective", "share"), [(99.5, 0.072), (99.9, 0.0144), (95.0, 0.72), (90.0, 0.9), (50.0, 0.9)]
)
def test_the_share_can_be_reached(objective: float, share: float) -> None:
    """However little is asked of a journey, it still burns when next to all of its runs fail."""
    assert Burn(14.4, "1h", "5m").share(objective) == share
