"""Text that others wrote (pages, servers, journeys), made fit to be kept, sent and shown.

Nothing here raises, whatever the text: what cleans what a page says must not break on it.
"""

from __future__ import annotations

import re

_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
"""What a terminal or a reader would obey instead of showing it: ESC, C1, marks of direction."""
_HALF = re.compile("[\ud800-\udfff]")
_ELLIPSIS = "…"


def printable(text: str) -> str:
    r"""Return ``text`` with what steers terminals spelt out (``\x1b``); lines and tabs stay.

    Half a character, which UTF-8 can't carry, becomes U+FFFD.
    """
    text = _HALF.sub("\ufffd", text.replace("\r\n", "\n"))
    return _UNSHOWN.sub(_spelt, text)


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, the last an ellipsis where some went."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + _ELLIPSIS


def _spelt(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
