"""Who is at fault where a payload is refused: the payload, or the door it was sent to.

A single refusal doesn't say. So the payload is set aside, and stays on disk, while another is
tried: where that one is taken, it was the payload, which is lost. Where that one is refused as
well it is the door: nothing is lost, and all is tried again.

A payload that alone is not answered for while others are taken (it brings the collector down,
say) is set aside in the same way, and tried again now and then; it is never lost by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LATER: Final = 300.0
_LATEST: Final = 3600.0
"""Seconds until one that alone is not answered for is tried again: at first, and at most."""


class _Stage(Enum):
    ACCUSED = auto()
    """Refused where the one before it was taken: if the next is taken as well, it is lost."""
    DOUBTED = auto()
    """Refused while others were too: to be tried again by itself once one is taken."""
    FREED = auto()
    """Refused while others were too: tried again in its turn."""
    LATER = auto()
    """Not answered for while others were taken."""


@dataclass(slots=True)
class Suspect:
    """A payload under doubt, by its id in the spool."""

    id: int
    reason: str = ""
    stage: _Stage = _Stage.ACCUSED
    tries: int = 0
    due: float = 0.0
    """Monotonic seconds."""


class Doubts:
    """What one lane has set aside. Kept in memory: after a restart all is simply tried again."""

    def __init__(self) -> None:
        self._suspects: dict[int, Suspect] = {}
        self._refusals = 0
        """Payloads refused, each sent alone, since one was last taken."""

    @property
    def door_is_shut(self) -> bool:
        """Whether nothing is taken, as far as is known."""
        return self._refusals > 1

    @property
    def aside(self) -> list[int]:
        """The ids that are not to be sent in their turn."""
        return [one.id for one in self._suspects.values() if one.stage is not _Stage.FREED]

    def on_refused(self, id_: int, reason: str) -> None:
        """Note that a payload was refused that was sent alone."""
        self._refusals += 1
        self._set(id_, reason, _Stage.ACCUSED)
        if self.door_is_shut:
            self._turn(_Stage.ACCUSED, _Stage.DOUBTED)

    def on_unanswered(self, id_: int, reason: str, now: float) -> None:
        """Note that of all payloads this one is not answered for, at monotonic ``now``."""
        suspect = self._set(id_, reason, _Stage.LATER)
        suspect.due = now + min(_LATER * 2 ** min(suspect.tries - 1, 10), _LATEST)

    def on_taken(self, ids: Iterable[int]) -> list[Suspect]:
        """Note that these were taken; return those that are thereby known to be at fault."""
        for id_ in ids:
            self._suspects.pop(id_, None)
        lost = [one for one in self._suspects.values() if one.stage is _Stage.ACCUSED]
        self.forget(one.id for one in lost)
        if self.door_is_shut:
            # Most were refused by the door. Those that are so once more get a trial each.
            self._turn(_Stage.DOUBTED, _Stage.FREED, tries=1)
        self._refusals = 0
        return lost

    def to_retry(self, now: float) -> int | None:
        """Return what is to be tried again by itself at monotonic ``now``, if anything is."""
        if self._refusals:
            return None
        for one in self._suspects.values():
            if one.stage is _Stage.DOUBTED or (one.stage is _Stage.LATER and now >= one.due):
                return one.id
        return None

    def release(self) -> None:
        """Let all that was refused be tried again: there is nothing else to try the door with."""
        self._refusals = 0
        self._turn(_Stage.ACCUSED, _Stage.FREED)
        self._turn(_Stage.DOUBTED, _Stage.FREED)

    def forget(self, ids: Iterable[int]) -> None:
        """Let go of payloads that are no longer in the spool."""
        for id_ in list(ids):
            self._suspects.pop(id_, None)

    def _set(self, id_: int, reason: str, stage: _Stage) -> Suspect:
        suspect = self._suspects.setdefault(id_, Suspect(id_))
        suspect.reason, suspect.stage = reason, stage
        suspect.tries += 1
        return suspect

    def _turn(self, old: _Stage, new: _Stage, tries: int | None = None) -> None:
        for one in self._suspects.values():
            if one.stage is old and tries in {None, one.tries}:
                one.stage = new
