"""Who is at fault where a payload is refused: the payload, or the door it was sent to.

A single refusal doesn't say. So the payload is set aside, and stays on disk, while another is
tried. Where that one is refused as well it is the door: nothing is lost, and all is tried
again. Where it is taken, the first is tried once more at once, for the door may just have
opened; refused again, it is lost.

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
    ASIDE = auto()
    """Refused: it waits until another is taken."""
    ON_TRIAL = auto()
    """One was taken since: to be tried again by itself."""
    FREED = auto()
    """Refused with others by a door that is open again: tried again in its turn."""
    LATER = auto()
    """Not answered for while others were taken."""


@dataclass(slots=True)
class _Suspect:
    """A payload under doubt, by its id in the spool. ``due`` is monotonic seconds."""

    id: int
    stage: _Stage = _Stage.ASIDE
    tries: int = 0
    due: float = 0.0


class Doubts:
    """What one lane has set aside. Kept in memory: after a restart all is simply tried again."""

    def __init__(self) -> None:
        self._suspects: dict[int, _Suspect] = {}
        self._refusals = 0
        """Payloads refused, each sent alone, since one was last taken."""
        self._was_taken = False
        """Whether the last request was."""

    @property
    def door_is_shut(self) -> bool:
        """Whether nothing is taken, as far as is known."""
        return self._refusals > 1

    @property
    def aside(self) -> list[int]:
        """The ids that are not to be sent in their turn."""
        return [one.id for one in self._suspects.values() if one.stage is not _Stage.FREED]

    @property
    def refused(self) -> bool:
        """Whether anything that was refused waits for another to be tried."""
        return bool(self._in(_Stage.ASIDE, _Stage.ON_TRIAL))

    def is_lost(self, id_: int) -> bool:
        """Note that a payload was refused that was sent alone; return whether it is at fault."""
        was_taken, self._was_taken = self._was_taken, False
        if was_taken and id_ in self._suspects:
            self.forget([id_])
            return True
        self._refusals += 1
        self._set(id_, _Stage.ASIDE)
        return False

    def on_batch_refused(self) -> None:
        """Note that several were refused together, of which any may be at fault."""
        self._was_taken = False

    def on_unanswered(self, id_: int, now: float) -> None:
        """Note that of all payloads this one is not answered for, at monotonic ``now``."""
        suspect = self._set(id_, _Stage.LATER)
        suspect.due = now + min(_LATER * 2 ** min(suspect.tries - 1, 10), _LATEST)
        self._was_taken = False

    def on_taken(self, ids: Iterable[int]) -> None:
        """Note that these were taken."""
        self.forget(ids)
        for one in self._in(_Stage.ASIDE):
            # Most of what a shut door refused is well; what it refused twice is tried singly.
            freed = self.door_is_shut and one.tries == 1
            one.stage = _Stage.FREED if freed else _Stage.ON_TRIAL
        self._refusals = 0
        self._was_taken = True

    def to_retry(self, now: float) -> int | None:
        """Return what is to be tried again by itself at monotonic ``now``, if anything is.

        What was refused is so only when another was taken just before.
        """
        trials = self._in(_Stage.ON_TRIAL) if self._was_taken else []
        due = [one for one in self._in(_Stage.LATER) if now >= one.due]
        return next((one.id for one in (*trials, *(due if not self._refusals else ()))), None)

    def release(self) -> None:
        """Let what was refused be tried again: there is nothing else to try the door with."""
        self._refusals = 0
        for one in self._in(_Stage.ASIDE, _Stage.ON_TRIAL):
            one.stage = _Stage.FREED

    def forget(self, ids: Iterable[int]) -> None:
        """Let go of payloads that are no longer in the spool."""
        for id_ in ids:
            self._suspects.pop(id_, None)

    def _set(self, id_: int, stage: _Stage) -> _Suspect:
        suspect = self._suspects.setdefault(id_, _Suspect(id_))
        suspect.stage = stage
        suspect.tries += 1
        return suspect

    def _in(self, *stages: _Stage) -> list[_Suspect]:
        return [one for one in self._suspects.values() if one.stage in stages]
