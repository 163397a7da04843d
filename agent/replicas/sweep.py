"""The sweep: slots of the location that nobody gave a word to get one, from one replica.

Whatever dies, is full or is away, a slot's word is given within a bound: by whoever walks or
skips it, else by the replica whose claim lapsed last, else here. The sweep goes on from a place
that is kept in the store, so that none is left out when another replica takes it over; going over
a slot twice does nothing, since its word is given once.

Where nobody reached the queue for minutes, no slot of that time can have been walked: all of them
are one word of each journey, however many they are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final, NoReturn

import structlog

from agent.core import ids
from agent.core.model import SkipReason, Slot
from agent.queue import key_names
from agent.queue.shared import Away
from agent.replicas import swept
from agent.schedule.decision import Skip
from agent.schedule.lateness import latest
from agent.schedule.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent.core.clock import Clock
    from agent.core.model import Cadence, Journey
    from agent.queue.shared import Entry, Store
    from agent.replicas.attendance import Attendance, Gap, Roll
    from agent.replicas.swept import Stretch

_log = structlog.get_logger("footfall.replicas")

_LOOK: Final = 1.0
_EVERY: Final = 5.0
"""Seconds between two sweeps."""
_GRACE: Final = 15.0
"""Seconds after the server came (back) in which all replicas settle what they hold."""
_HORIZON: Final = 24 * 3600.0
"""Seconds that are counted back, as everywhere."""
_EDGE: Final = 60.0
"""Seconds at both ends of a gap in which a slot may have been walked all the same."""
_AT_ONCE: Final = 64
"""Words that are asked for side by side."""
_MOST: Final = 2000
"""Slots that are looked at in one sweep."""


class Sweep:
    """Sweeps while this replica ``leads``; ``owns`` tells whether its journeys are walked now.

    ``give`` gives slots the word that they were not run, ``lose`` gives a slot the word that its
    walk was lost; neither does anything to a slot that has a word.
    """

    def __init__(
        self,
        store: Store,
        attendance: Attendance,
        location: str,
        clock: Clock,
        give: Callable[[Skip], Awaitable[None]],
        lose: Callable[[Slot], Awaitable[None]],
        leads: Callable[[], bool],
        owns: Callable[[], bool],
    ) -> None:
        self._store = store
        self._give_word = give
        self._lose = lose
        self._attendance = attendance
        self._location = location
        self._clock = clock
        self._leads = leads
        self._owns = owns
        self._journeys: Sequence[Journey] = ()
        self._since = 0.0
        """From when on its journeys are walked, in Unix seconds; 0.0: they aren't."""
        self._is_begun = False
        """Whether the store has them."""
        self._times = 0
        self._settled_at = 0.0
        """When all replicas have settled what they held, on the monotonic clock."""
        self._given: Counter[str] = Counter()
        """How many slots were given which word, in this sweep."""
        self._plans: dict[tuple[str, Cadence], Plan] = {}
        self._due: dict[tuple[str, Cadence], tuple[float, float]] = {}
        """Of each plan, the first slot after a moment."""

    def load(self, journeys: Sequence[Journey], now: float) -> None:
        """Sweep these journeys, which tick from Unix time ``now`` on, or longer."""
        self._journeys = journeys
        self._since = now if self._owns() else 0.0
        self._is_begun = False
        self._plans.clear()
        self._due.clear()

    async def run(self) -> NoReturn:
        """Sweep again and again, until cancelled."""
        swept_at = 0.0
        while True:
            await self._clock.sleep(_LOOK)
            try:
                if await self._owns_now() and not self._is_begun:
                    self._is_begun = await self._begin()
                if self._may_sweep() and self._clock.monotonic() - swept_at >= _EVERY:
                    await self.sweep()
                    swept_at = self._clock.monotonic()
            except Away as error:
                _log.info("sweep.broken_off", action="sweep", error=str(error))

    async def sweep(self) -> None:
        """Give a word to whatever is overdue.

        Raises:
            Away: the store can't be reached.

        """
        entry, stretches = await self._stretches()
        roll = await self._attendance.roll()
        left = _MOST
        for stretch in stretches:
            left -= await self._sweep(stretch, roll, left)
        await self._write(entry, stretches)
        if self._given:
            _log.warning("slots.overdue", action="sweep", **self._given)
            self._given.clear()

    async def _begin(self) -> bool:
        """Have the journeys swept from now on, by whichever replica; False: another wrote just now.

        Right at the start: what comes due before the first sweep is to be swept as well.
        """
        return await self._write(*await self._stretches())

    async def _stretches(self) -> tuple[Entry | None, list[Stretch]]:
        entry = await self._store.get(key_names.SWEEP)
        before = [] if entry is None else swept.read(entry.value)
        return entry, swept.renewed(before, self._journeys, self._since)

    async def _write(self, entry: Entry | None, stretches: Sequence[Stretch]) -> bool:
        """Write down what is swept, unless another has written meanwhile; return whether."""
        value = swept.write([stretch for stretch in stretches if not stretch.is_over])
        if entry is None:
            return await self._store.create(key_names.SWEEP, value) is not None
        if value == entry.value:
            return True
        return await self._store.update(key_names.SWEEP, value, entry.revision) is not None

    async def _owns_now(self) -> bool:
        """Look whether slots of these journeys are walked, and whether the server is there."""
        now = self._clock.monotonic()
        if not self._owns():
            self._since, self._is_begun = 0.0, False
        elif not self._since:
            self._since = self._clock.wall()
        if not self._store.connected:
            self._settled_at = now + _GRACE
            return False
        times = await self._store.until_connected()
        if times != self._times:
            self._times, self._settled_at = times, now + _GRACE
        return bool(self._since)

    def _may_sweep(self) -> bool:
        settled = self._store.connected and self._clock.monotonic() >= self._settled_at
        return self._is_begun and settled and self._leads()

    async def _sweep(self, stretch: Stretch, roll: Roll, most: int) -> int:
        """Sweep some of a journey's slots; return how many were looked at."""
        now = self._clock.wall()
        end = now - stretch.overdue
        if stretch.end is not None:
            end = min(end, stretch.end)
        stretch.until = max(stretch.until, now - _HORIZON)
        looked = 0
        while looked < most and self._next(stretch) <= end:
            gap = _inside(roll, stretch.until, end)
            if gap is not None and stretch.until >= gap.begin + _EDGE:
                if gap.end - _EDGE > end:
                    break
                await self._skip_gap(stretch, gap)
                looked += 1
                continue
            before = end if gap is None else gap.begin + _EDGE
            slots = self._plan(stretch).between(stretch.until, before, most - looked)
            looked += len(slots)
            if not await self._give_missing(stretch, slots, roll):
                break
            stretch.until = slots[-1] if len(slots) == most - looked else before
        if stretch.end is not None and self._next(stretch) > stretch.end and end >= stretch.end:
            stretch.until = stretch.end
        return looked

    async def _skip_gap(self, stretch: Stretch, gap: Gap) -> None:
        """Skip all slots of a journey in a time in which nobody reached the queue."""
        end = gap.end - _EDGE
        for until in sorted({min(max(gap.running_from, stretch.until), end), end}):
            span = self._plan(stretch).span(stretch.until, until)
            if span is not None:
                since = span.first if span.count > 1 else None
                slot = Slot(stretch.journey, self._location, span.last)
                await self._skip(Skip(slot, gap.reason(span.first), span.count, since))
            stretch.until = until

    async def _give_missing(self, stretch: Stretch, times: Sequence[float], roll: Roll) -> bool:
        """Give a word to those that have none; False at the first that is still walked."""
        slots = [Slot(stretch.journey, self._location, at) for at in times]
        for first in range(0, len(slots), _AT_ONCE):
            some = slots[first : first + _AT_ONCE]
            names = (key_names.word(ids.run_id(slot)) for slot in some)
            found = await asyncio.gather(*(self._store.get(name) for name in names))
            for slot, word in zip(some, found, strict=True):
                if word is None and not await self._give(stretch, slot, roll):
                    return False
                stretch.until = slot.scheduled_at
        return True

    async def _give(self, stretch: Stretch, slot: Slot, roll: Roll) -> bool:
        run_id, at = ids.run_id(slot), slot.scheduled_at
        walked = await self._store.get(key_names.running(slot.journey))
        if walked is not None and walked.value.decode(errors="replace") == run_id:
            return False
        if await self._store.get(key_names.claim(run_id)) is not None:
            await self._lose(slot)
            self._given["lost"] += 1
        else:
            gap = roll.over(at, at + latest(stretch.interval))
            reason = SkipReason.CAPACITY if gap is None else gap.reason(at)
            await self._skip(Skip(slot, reason))
        return True

    async def _skip(self, skip: Skip) -> None:
        await self._give_word(skip)
        self._given[skip.reason.value] += skip.count

    def _plan(self, stretch: Stretch) -> Plan:
        key = stretch.journey, stretch.cadence
        if key not in self._plans:
            self._plans[key] = Plan(stretch.cadence, (stretch.journey, self._location))
        return self._plans[key]

    def _next(self, stretch: Stretch) -> float:
        """Return a journey's first slot that is not swept."""
        key = stretch.journey, stretch.cadence
        after, slot = self._due.get(key, (stretch.until, 0.0))
        if not after <= stretch.until < slot:
            slot = self._plan(stretch).next(stretch.until)
            self._due[key] = stretch.until, slot
        return slot


def _inside(roll: Roll, begin: float, end: float) -> Gap | None:
    """Return the first gap so long that something of it can't have been walked, in some time."""
    return next(
        (
            gap
            for gap in roll.gaps
            if gap.begin + _EDGE < end
            and begin < gap.end - _EDGE
            and gap.end - gap.begin > 2 * _EDGE
        ),
        None,
    )
