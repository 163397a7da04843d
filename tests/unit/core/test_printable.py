"""What others wrote is shown, not obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.printable import cut, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b]8;;http://x\x1b\\link", "\\x1b]8;;http://x\\x1b\\link"),
        ("\x9b31m", "\\x9b31m"),
        ("ab\x08\x08", "ab\\x08\\x08"),
        ("over\rwritten", "over\\x0dwritten"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("half \ud83d", "half \ufffd"),
        ("nul\x00", "nul\\x00"),
        ("two\r\nlines\tand a tab", "two\nlines\tand a tab"),
        ("größer 🔑 日本", "größer 🔑 日本"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    """What steers a terminal or turns the direction of reading is spelt out."""
    assert printable(text) == shown


@given(st.text(st.characters()), st.integers(1, 50))
def test_any_text(text: str, limit: int) -> None:
    """Any text comes out encodable, the same when cleaned twice, and no longer than asked."""
    clean = printable(text)
    clean.encode()
    assert printable(clean) == clean
    assert len(cut(clean, limit)) <= limit
    assert clean.startswith(cut(clean, limit).removesuffix("…"))
