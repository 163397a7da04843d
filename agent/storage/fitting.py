"""Making JSON fit into a bound, whatever a run put into it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.core.printable import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 64 * 1024
"""Characters of a run that is kept; an ordinary one has some thousands."""
_SHARE = 4
"""Of a list, an element that is a larger part than one in so many is cut by itself."""
_LEAST_TEXT = 100
"""Characters of a text that are never cut: what is that short is needed."""


def fit(document: Mapping[str, Any], limit: int) -> str:
    """Return an object as JSON of ``limit`` characters at most.

    One that is larger loses the middle of its longest lists and the end of its longest texts,
    as little as will do, and says so with ``"cut": true``. Where even that doesn't do, only its
    first plain values are left, and its lists are empty.
    """
    text = _dumps(document)
    if len(text) <= limit:
        return text
    fitted: dict[str, Any] = {**json.loads(text), "cut": True}
    while len(text := _dumps(fitted)) > limit:
        if not _cut_largest(fitted):
            return _plain(fitted, limit)
    return text


def _cut_largest(value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    """Cut the largest part of a value in half; False where nothing of it can be cut."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    sized = sorted(((len(_dumps(value[key])), key) for key in keys), key=lambda one: -one[0])
    whole = sum(size for size, _ in sized)
    for size, key in sized:
        part = value[key]
        if isinstance(value, list) and size * _SHARE <= whole:
            break
        if isinstance(part, str) and len(part) > _LEAST_TEXT:
            value[key] = cut(part, max(_LEAST_TEXT, len(part) // 2))
            return True
        if isinstance(part, dict | list) and _cut_largest(part):
            return True
    if isinstance(value, list) and len(value) > 1:
        # What is listed first is as telling as what came last.
        kept = len(value) // 2
        del value[(kept + 1) // 2 : len(value) - kept // 2]
        return True
    return False


def _plain(document: Mapping[str, Any], limit: int) -> str:
    """Keep plain values as long as there is room, and of lists and objects that there are any."""
    kept: dict[str, Any] = {"cut": True}
    left = limit - len(_dumps(kept))
    for key, value in document.items():
        least = type(value)() if isinstance(value, dict | list) else value
        size = len(_dumps({key: least}))
        if size <= left:
            kept[key] = least
            left -= size
    return _dumps(kept)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
