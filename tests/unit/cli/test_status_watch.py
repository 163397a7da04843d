"""``status --watch``: one page over the other, on a terminal and where there is none."""

from __future__ import annotations

from agent.cli.status_watch import _redrawn


def test_a_page_is_drawn_over_the_one_before():
    """Home, each line to its end, then what was below: nothing is cleared first."""
    assert _redrawn("one\ntwo\n", 24) == "\x1b[Hone\x1b[K\ntwo\x1b[K\x1b[J"


def test_a_page_that_is_too_long_says_so():
    """As many lines as the terminal has, the last of which tells how many are left."""
    drawn = _redrawn("\n".join(map(str, range(30))), 10)
    lines = drawn.split("\n")
    assert len(lines) == 10
    assert lines[-1].startswith("... 21 more lines")
