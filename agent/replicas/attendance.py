"""When no replica of a location could reach the queue: then no slot was walked, and why.

Every replica that reaches the store says so, one for all of them. Where nobody has for a while,
the first who comes back writes the gap down; whoever was running in it says since when, so that
a queue that was away is told from replicas that were down.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

import structlog
from pydantic import TypeAdapter

from agent.core.model import SkipReason
from agent.queue import key_names
from agent.queue.shared import Away

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.queue.shared import Store

_log = structlog.get_logger("footfall.replicas")

_EVERY: Final = 2.0
_MISSED: Final = 6.0
"""Seconds without anybody's word after which nobody was there."""
_STOOD_STILL: Final = 30.0
"""Seconds between two turns of the loop after which this process itself was not there."""
_KEPT: Final = 26 * 3600.0
"""Seconds for which gaps are known: longer than any slot is counted back."""
_SINCE_START: Final = 5.0
"""Seconds by which a process that has just started doesn't count as one that was there."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time, in Unix seconds, in which nobody reached the queue."""

    begin: float
    end: float
    running_from: float
    """From when on some replica was running in it, which the queue was away for."""

    def reason(self, at: float) -> SkipReason:
        """Say why a slot was not run that would have been at this moment, or before the gap."""
        there = self.running_from <= max(at, self.begin)
        return SkipReason.QUEUE if there else SkipReason.DOWN


@dataclass(frozen=True, slots=True)
class Roll:
    """What the store has of it: when somebody was there last, and when nobody was before."""

    at: float
    gaps: tuple[Gap, ...] = ()

    def over(self, begin: float, end: float) -> Gap | None:
        """Return the first gap that has anything of a time."""
        return next((gap for gap in self.gaps if gap.begin < end and begin < gap.end), None)


_ROLL = TypeAdapter(Roll)


class Attendance:
    """Says that this replica is there, as long as ``run`` is not cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._running_from = self._turned_at = clock.wall()

    async def run(self) -> NoReturn:
        """Say it again and again, whether the store is there or not."""
        while True:
            with suppress(Away):
                await self.say()
            await self._clock.sleep(_EVERY)

    async def say(self) -> None:
        """Say it once.

        Raises:
            Away: the store can't be reached.

        """
        now = self._clock.wall()
        if now - self._turned_at > _STOOD_STILL:
            # A machine that was suspended, or a process that was stopped.
            self._running_from = now
        self._turned_at = now
        entry = await self._store.get(key_names.ATTENDANCE)
        if entry is None:
            await self._store.create(key_names.ATTENDANCE, _ROLL.dump_json(Roll(now)))
            return
        before = _read(entry.value, now)
        after = self._there(before, now)
        if after.gaps == before.gaps and now - before.at < _EVERY:
            return  # another has just said so
        await self._store.update(key_names.ATTENDANCE, _ROLL.dump_json(after), entry.revision)

    async def roll(self) -> Roll:
        """Return what is known to all.

        Raises:
            Away: the store can't be reached.

        """
        entry = await self._store.get(key_names.ATTENDANCE)
        now = self._clock.wall()
        return Roll(now) if entry is None else _read(entry.value, now)

    def _there(self, roll: Roll, now: float) -> Roll:
        gaps = [gap for gap in roll.gaps if gap.end > now - _KEPT]
        if now - roll.at > _MISSED:
            gaps.append(Gap(roll.at, now, now))
            _log.warning("attendance.gap", action="attend", seconds=round(now - roll.at, 1))
        since = self._running_from
        gaps = [
            replace(gap, running_from=min(gap.running_from, max(since, gap.begin)))
            if since + _SINCE_START < gap.end
            else gap
            for gap in gaps
        ]
        return Roll(max(now, roll.at), tuple(gaps))


def _read(value: bytes, now: float) -> Roll:
    """Read what the store has; where that can't be read nobody is known to have been missing."""
    try:
        return _ROLL.validate_json(value)
    except ValueError:
        return Roll(now)
