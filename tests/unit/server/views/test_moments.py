"""Moments and durations as people read them."""

from __future__ import annotations

import pytest

from agent.server.views import moments

AT = "2026-11-27T04:12:40.250+01:00"


def test_a_moment_is_of_utc_and_says_so() -> None:
    """Whatever zone it came in: for people in UTC with the zone's name, for programs as it was."""
    assert moments.when(AT) == (
        f'<time datetime="{AT}" title="2026-11-27 03:12:40 UTC">2026-11-27 03:12:40 UTC</time>'
    )
    assert ">03:12:40 UTC<" in moments.clock(AT)
    assert ">2026-11-27<" in moments.day(AT)


def test_a_distance_has_the_whole_moment_beside_it() -> None:
    """How long ago something was is told; when, is in the element and its title."""
    tell = moments.relative_to("2026-11-27T03:24:40.250Z")
    assert tell["since"](AT).endswith('title="2026-11-27 03:12:40 UTC">12m ago</time>')
    assert ">12m<" in tell["lasting"](AT)
    assert ">in 1h<" in tell["to_come"]("2026-11-27T04:24:40.250Z")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (0.0314, "31 ms"),
        (0.9996, "1.00 s"),
        (2.318, "2.32 s"),
        (9.999, "10.0 s"),
        (3600, "3600 s"),
    ],
)
def test_durations_have_three_figures_or_so(value, text) -> None:
    """Milliseconds below a second; never more figures than anybody reads."""
    assert moments.seconds(value) == text
