"""Rows: a table where there is room, else blocks; never a folded table."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.text import Text

from agent.cli.rows import print_rows

HEADINGS = ("journey", "site", "runs")
ROWS = [
    ("buy_a_mug", "https://shop.example.com/with/a/long/path", "7"),
    ("search", "a site of many words that goes on and on for a while, as they do", "123"),
]


@pytest.mark.parametrize("width", [200, 80, 40, 20])
def test_nothing_is_folded_in_a_table_and_nothing_is_lost(width):
    """At any width each cell is there whole; no line is wider but for a word that is."""
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        print_rows(console, "Two of them", HEADINGS, [[*map(Text, row)] for row in ROWS], ("runs",))
    text = captured.get()
    for line in text.splitlines():
        assert len(line.rstrip()) <= width or len(line[12:].split()) <= 1, line
    for row in ROWS:
        for cell in row:
            assert cell in " ".join(text.split())
    assert ("buy_a_mug  https" in text) is (width == 200)
