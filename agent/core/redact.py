"""Keeping known secrets out of text, in each spelling that ``secret_forms`` knows."""

from __future__ import annotations

import re
from typing import Any

from agent.core.limits import ADDRESS_LENGTH, MESSAGE_LENGTH
from agent.core.printable import cut, printable
from agent.core.secret_forms import BREAK, SHORTEST, Form, forms_of, parts_of

MASK = "***"
_TELLING_PART = 12
"""Characters of a secret that tell too much of it."""
_WIDEST = 12
"""Characters that one of a secret takes in its longest spelling."""
_ELLIPSIS = re.compile(r"…|\.{3}")
_MOST_CHARACTERS = 400_000
"""Characters of all texts of JSON-like data together; of bytes there may be four times as many."""
_EACH = 8
"""Characters that an item counts for besides its own."""
_DEEPEST = 20
_NESTED = "…"
_MOST_READ = 16 * ADDRESS_LENGTH
"""Characters of a text, beyond those that are kept, that are looked through."""


class Redactor:
    """Replaces every secret it has been told of by ``***``."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._forms: list[Form] = []

    def add(self, secret: str) -> None:
        """Learn a secret.

        The lines of one that has several are learnt each for itself, as are the parts into
        which an address divides one that was put there unescaped.
        """
        for part in parts_of(secret) - set(self._parts):
            self._parts.append(part)
            self._forms += forms_of(part)
        # Longest first, so that a secret within another doesn't leave the rest of it.
        self._parts.sort(key=len, reverse=True)
        self._forms.sort(key=lambda form: form.length, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def text(self, text: str) -> str:
        """Return ``text`` without any known secret, or what an ellipsis left of one."""
        if not self._parts:
            return text
        lowered = text.lower()
        joined = BREAK.sub("", lowered) if "\n" in lowered else lowered
        for form in self._forms:
            # Most texts hold none of them, and this is by far faster than the pattern.
            if joined is not lowered and form.anchor in joined:
                text = form.broken.sub(MASK, text)
            elif form.anchor in lowered:
                text = form.pattern.sub(MASK, text)
        return self._cut_short(text)

    def fit(self, text: str, limit: int) -> str:
        """Return what may be kept of a text from outside: masked, printable, cut to ``limit``.

        It never raises, and of a text of megabytes it looks at no more than it has to.
        """
        # A secret that is cut in two where the reading ends is dropped with what is around it.
        spare = _WIDEST * len(self._parts[0]) if self._parts else 0
        most = _MOST_READ + limit + 2 * spare
        if len(text) <= most:
            return cut(printable(self.text(text)), limit)
        masked = self.text(text[:most])
        return cut(printable(masked[: len(masked) - spare]), limit)

    def tells(self, text: str) -> bool:
        """Tell whether a field that says ``text`` shows a secret, or one that is half typed."""
        begun = any(part.startswith(text) for part in self._parts if len(text) >= SHORTEST)
        return begun or self.holds_part(text) or self.text(text) != text

    def holds_part(self, text: str) -> bool:
        """Tell whether 12 characters of a secret, or all of a shorter one, stand in ``text``."""
        return any(_holds_part(text, part) for part in self._parts)

    def value(self, value: Any, most: int = _MOST_CHARACTERS) -> Any:  # noqa: ANN401
        """Return what may be kept of JSON-like data from outside, keys included.

        Texts are made fit; what is nested too deep, or comes after ``most`` characters, becomes
        an ellipsis or is left out.
        """
        return self._kept(value, 0, [most])

    def _kept(self, value: Any, depth: int, left: list[int]) -> Any:  # noqa: ANN401
        left[0] -= _EACH
        if isinstance(value, str):
            text = self.fit(value, MESSAGE_LENGTH)
            left[0] -= len(text)
            return text if left[0] > 0 else _NESTED
        if isinstance(value, (dict, list, tuple)) and depth >= _DEEPEST:
            return _NESTED
        if isinstance(value, dict):
            return {
                self._kept(str(key), depth, left): self._kept(one, depth + 1, left)
                for key, one in value.items()
                if left[0] > 0
            }
        if isinstance(value, (list, tuple)):
            return [self._kept(one, depth + 1, left) for one in value if left[0] > 0]
        return value

    def _cut_short(self, text: str) -> str:
        """Mask what is left of secrets beside an ellipsis, where somebody had no room for all."""
        kept, at, longest = [], 0, len(self._parts[0])
        for found in _ELLIPSIS.finditer(text):
            if found.start() < at:
                continue  # within the end of a secret
            before, after = text[at : found.start()], text[found.end() : found.end() + longest]
            begun = max(_begun(before, part) for part in self._parts)
            ended = max(_ended(after, part) for part in self._parts)
            kept.append(before[: len(before) - begun] + MASK * (begun > 0))
            kept.append(found[0] + MASK * (ended > 0))
            at = found.end() + ended
        return "".join([*kept, text[at:]])


def _holds_part(text: str, secret: str) -> bool:
    if len(secret) < _TELLING_PART:
        return secret in text
    # Half as long a block, at half as many places, is within any such part.
    half = _TELLING_PART // 2
    return any(
        secret[start : start + _TELLING_PART] in text
        for at in range(0, len(secret) - half + 1, half)
        if secret[at : at + half] in text
        for start in range(max(0, at - half), min(at, len(secret) - _TELLING_PART) + 1)
    )


def _begun(text: str, secret: str) -> int:
    """Return how many of the secret's first characters the text ends with; 0 for a few."""
    if text[-SHORTEST:] not in secret:
        return 0
    return next(
        (n for n in range(len(secret) - 1, SHORTEST - 1, -1) if text.endswith(secret[:n])), 0
    )


def _ended(text: str, secret: str) -> int:
    """Return how many of the secret's last characters the text begins with; 0 for a few."""
    if text[:SHORTEST] not in secret:
        return 0
    return next(
        (n for n in range(len(secret) - 1, SHORTEST - 1, -1) if text.startswith(secret[-n:])), 0
    )
