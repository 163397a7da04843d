"""The time line of an attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.server.views.waterfall import Scale

SECONDS = st.floats(0, 3600)


def percent(text: str) -> float:
    return float(text.removesuffix("%"))


@given(st.lists(st.tuples(SECONDS, st.none() | SECONDS), min_size=1))
def test_all_of_it_is_on_the_line(spans) -> None:
    """Whatever starts whenever, it begins on the line, has a width, and what goes on reaches to
    the end."""
    scale = Scale.over(spans)
    for start, lasted in spans:
        left, width = percent(scale.left(start)), percent(scale.width(start, lasted))
        assert 0 <= left <= 100
        assert width >= 0.4
        assert left + width <= 100.5
        if lasted is None:
            assert left + width >= 99.9


@pytest.mark.parametrize(
    ("length", "ticks"),
    [
        (0.9, [0.2, 0.4, 0.6, 0.8]),
        (4.9, [1, 2, 3, 4]),
        (7.4, [2, 4, 6]),
        (30.0, [10, 20, 30]),
        (63.0, [20, 40, 60]),
        (0.031, [0.01, 0.02, 0.03]),
    ],
)
def test_ticks_are_round(length, ticks) -> None:
    """Five marks at most, at 1, 2 or 5 of some power of ten."""
    assert Scale(length).ticks() == pytest.approx(ticks)


def test_nothing_takes_a_line_as_well() -> None:
    """An attempt in which nothing was seen has a line all the same."""
    assert Scale.over([]).left(0) == "0.00%"
