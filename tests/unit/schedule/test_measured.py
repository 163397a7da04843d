"""The day's figures: uptime of what was measured, and how much that was."""

from __future__ import annotations

import pytest

from agent.schedule.measured import Measured


@pytest.mark.parametrize(
    ("slots", "passed", "failed", "uptime", "share"),
    [
        (10, 10, 0, 100.0, 100.0),
        (1_000_000, 999_999, 1, 99.999, 100.0),
        (3, 2, 1, 66.666, 100.0),
        (8, 2, 1, 66.666, 37.5),
        (4, 0, 0, None, 0.0),
        (4, 0, 4, 0.0, 100.0),
    ],
)
def test_shares_are_rounded_down(slots, passed, failed, uptime, share):
    """Three decimals, never up: 100 is said of all alone; nothing measured has no uptime."""
    told = Measured(slots, passed, failed)
    assert (told.uptime, told.share) == (uptime, share)


def test_without_slots_nothing_is_known():
    """No slot, no share."""
    assert Measured(0, 0, 0).share is None
