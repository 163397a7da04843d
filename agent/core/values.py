"""Which values reach a journey as they were written: what crosses the pipe is JSON."""

from __future__ import annotations

import math

DEEPEST = 50
"""Levels of tables and lists in one value; JSON readers give up at some hundreds."""
_WANTED = "give text, true, false, a finite number of 64 bits, or lists and tables of those"


def trouble(value: object, depth: int = DEEPEST) -> str:
    """Say why a value would not arrive as it is; "" where it would."""
    kind = type(value)
    if isinstance(value, dict | list) and kind in {dict, list}:
        if depth == 0:
            return f"is more than {DEEPEST} levels deep"
        if isinstance(value, dict) and any(type(name) is not str for name in value):
            return f"has a table with a name that is no text; {_WANTED}"
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        return next((why for one in inside if (why := trouble(one, depth - 1))), "")
    if value is not None and kind not in {str, bool, int, float}:
        return f"is of the type {kind.__name__}, which would change on its way; {_WANTED}"
    return _trouble_of_one(value)


def _trouble_of_one(value: object) -> str:
    match value:
        case str() if not encodes(value):
            return "holds half a character, which can't be written"
        case int() if value.bit_length() > 63:
            return f"is too large; {_WANTED}"
        case float() if not math.isfinite(value):
            return f"is no finite number; {_WANTED}"
    return ""


def encodes(text: str) -> bool:
    """Whether a text can be written: bytes that are no text stand in it as half characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
