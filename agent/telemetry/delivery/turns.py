"""Whose turn it is: the past's, or that of what came since.

What had piled up by the end of an outage, or was found at the start, is a lane's backlog.
It takes turns with what comes in since, so that an alert need not wait until hours of the
past are through; each of the two goes in order.
"""

from __future__ import annotations

from typing import Final

_LAST: Final = 2**63 - 1


class Turns:
    """Turns of a lane, by the spool's ids."""

    def __init__(self) -> None:
        self.backlog_until = 0
        """Up to this id it is the past that waits."""
        self._live_next = False

    @property
    def ranges(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Ids (above, up to) of the one whose turn it is, then of the other."""
        past, since = (0, self.backlog_until), (self.backlog_until, _LAST)
        return (since, past) if self._live_next else (past, since)

    def on_done(self, id_: int) -> None:
        """Give the turn to the other: what has this id is through."""
        self._live_next = id_ <= self.backlog_until
