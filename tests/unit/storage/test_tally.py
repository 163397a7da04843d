"""Shares and bars: rounded down, with what they stand on, and the worst shown first."""

from __future__ import annotations

import pytest

from agent.storage.tally import Tally


@pytest.mark.parametrize(
    ("tally", "uptime", "measured"),
    [
        (Tally(passed=9, flaky=1), 100.0, 100.0),
        (Tally(passed=999_999, failed=1), 99.999, 100.0),
        (Tally(passed=1_999_999, failed=1), 99.999, 100.0),
        (Tally(passed=1, flaky=1, failed=1), 66.666, 100.0),
        (Tally(passed=2, failed=1, passed_over=5), 66.666, 37.5),
        (Tally(not_measured=2, suspended=2), None, 0.0),
        (Tally(failed=4), 0.0, 100.0),
        (Tally(), None, None),
    ],
)
def test_shares_are_rounded_down(tally, uptime, measured):
    """Three decimals, never up: 100 is said of all alone; nothing measured has no uptime."""
    assert (tally.uptime, tally.measured) == (uptime, measured)


@pytest.mark.parametrize(
    ("tally", "bar"),
    [
        (Tally(), "unknown"),
        (Tally(passed=10), "pass"),
        (Tally(passed=9, flaky=1), "flaky"),
        (Tally(passed=999, failed=1), "fail"),
        (Tally(failed=1, suspended=500), "fail"),
        (Tally(passed=5, passed_over=5), "pass"),
        (Tally(passed=4, passed_over=5), "not_measured"),
        (Tally(passed=4, suspended=5), "suspended"),
        (Tally(not_measured=3, passed_over=3, suspended=5), "not_measured"),
        (Tally(slow=1, passed=1, silenced=1), "pass"),
    ],
)
def test_a_bar_is_the_worst_of_its_time(tally, bar):
    """A fail shows in however many passes; without a fail, what was less than half measured is
    neither green nor red."""
    assert tally.bar == bar
