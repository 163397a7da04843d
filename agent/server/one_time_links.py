"""Links that sign one person in, once: made for who shows the token."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

LASTS: Final = 60
"""Seconds in which a link works."""
_MOST: Final = 16
"""Links that wait to be used; the oldest goes first."""


class Links(Protocol):
    """Makes codes, and takes each once, wherever it was made."""

    async def make(self) -> str:
        """Return a code that works once.

        Raises:
            Refused: none can be made now.

        """
        ...

    async def spend(self, code: str) -> bool:
        """Whether a code signs somebody in; from now on it doesn't.

        Raises:
            Refused: that can't be told now.

        """
        ...


class OneTimeLinks:
    """Knows which codes sign somebody in, in memory alone."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._ends: dict[bytes, float] = {}

    async def make(self) -> str:
        """Return a code that works once."""
        code = new_code()
        self._drop_old()
        while len(self._ends) >= _MOST:
            del self._ends[next(iter(self._ends))]
        self._ends[digest(code)] = self._now() + LASTS
        return code

    async def spend(self, code: str) -> bool:
        """Whether a code signs somebody in; from now on it doesn't."""
        self._drop_old()
        return self._ends.pop(digest(code), None) is not None

    def _drop_old(self) -> None:
        now = self._now()
        self._ends = {code: ends for code, ends in self._ends.items() if ends > now}


def new_code() -> str:
    """Return a code that nobody guesses."""
    return secrets.token_urlsafe(32)


def digest(code: str) -> bytes:
    """Return what is kept of a code."""
    # So that a look-up tells nothing of the codes that are there.
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
