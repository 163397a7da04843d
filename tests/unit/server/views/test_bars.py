"""Bars: each state has its own shape, and nothing that happened is too small to be seen."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from agent.server.views.bars import HEIGHT, STEP, Bar, draw
from agent.server.views.strips import of_stretches, of_words
from tests.gallery import scenes

STATES = ("pass", "flaky", "fail", "unknown", "none", "rest")
PIECE = re.compile(r"M([\d.]+) ([\d.]+)h[\d.]+v([\d.]+)h-[\d.]+z")


def pieces(outline: str) -> list[tuple[float, float]]:
    """Top and height of each rectangle."""
    found = PIECE.findall(outline)
    assert "".join(PIECE.sub("", outline)) == ""
    return [(float(top), float(height)) for _, top, height in found]


def test_no_two_states_look_alike_without_colour() -> None:
    """As outlines, or by their hatching, all six differ."""
    shapes = {}
    for state in STATES:
        drawing = draw([Bar({state: 1}, "")])
        hatched = state if state in {"unknown", "none"} else ""
        shapes[state] = (hatched, drawing.outlines[state])
    assert len(set(shapes.values())) == len(STATES)


@given(
    st.dictionaries(
        st.sampled_from(("pass", "flaky", "fail", "unknown")), st.integers(0, 10**6), min_size=1
    )
)
def test_all_that_happened_is_seen(counts) -> None:
    """Whatever the shares, each state that there was has at least 2 of 28 units, in all of its
    parts, and no bar leaves its place."""
    drawing = draw([Bar(counts, "")])
    happened = {state for state, number in counts.items() if number}
    assert drawing.outlines.keys() == (happened or {"none"})
    for outline in drawing.outlines.values():
        for top, height in pieces(outline):
            assert height >= 1.0
            assert top >= 0
            assert top + height <= HEIGHT + 1e-6


def test_bars_stand_in_order() -> None:
    """The first is leftmost, and each has its own place."""
    drawing = draw([Bar({"pass": 1}, ""), Bar({"fail": 1}, ""), Bar({"pass": 1}, "")])
    assert drawing.width == 3 * STEP
    assert [float(left) for left, _, _ in PIECE.findall(drawing.outlines["pass"])] == [0, 2 * STEP]


def test_words_are_told_to_who_does_not_see_them() -> None:
    """A strip of the overview says how often each state was, the order being a picture's."""
    strip = of_words(["pass", "suspended", "unknown", "pass"])
    assert strip.told == "2 pass, 1 nothing known, 1 paused or maintenance"
    assert strip.drawing.width == 4 * STEP


def test_little_that_was_measured_is_not_all() -> None:
    """Slots that were skipped or not measured take their share of the bar; those that a pause
    stopped don't. What was walked under silence is hatched over."""
    one = scenes.stretch("pass", scenes.ago(days=1), skipped={"capacity": 20, "paused": 9},
                         suspended=9, not_measured=10, silenced=3)  # fmt: skip
    (bar,) = of_stretches([one], 24)
    assert bar.counts == {"fail": 0, "flaky": 0, "unknown": 30, "pass": 60}
    assert draw([bar]).over
    assert bar.told.endswith(
        "60 passed, 10 not measured, 9 paused or in maintenance, 20 skipped; alerts were silenced"
    )


def test_days_before_the_first_are_left_out() -> None:
    """A journey that is new has no bars of days on which it wasn't there; one at least is left."""
    days = [scenes.stretch("unknown", scenes.ago(days=3 - n)) for n in range(3)]
    assert len(of_stretches(days, 24)) == 1
    days.append(scenes.stretch("pass", scenes.ago(days=0)))
    days.append(scenes.stretch("unknown", scenes.ago(days=0)))
    assert [bar.state for bar in of_stretches(days, 24)] == ["pass", "none"]
