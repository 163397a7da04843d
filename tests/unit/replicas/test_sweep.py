"""The sweep: what nobody gave a word to gets one, once, and says what happened."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.core import ids
from agent.core.model import Slot
from agent.core.results import Result
from agent.queue import key_names
from agent.replicas.attendance import Attendance
from agent.replicas.sweep import Sweep
from agent.replicas.swept import Stretch
from agent.schedule.plan import Plan
from tests.support.build import a_journey
from tests.unit.runs.replicated.conftest import AT, PLACE, Replica, words_of

JOURNEY = a_journey("buy", 10, timeout=5, grace=1, confirm_after=1)
OVERDUE = Stretch.of(JOURNEY, 0.0).overdue


class Swept(Replica):
    """A replica that also sweeps; the clock is moved by hand, a second at a time."""

    leads = False

    async def start(self):
        await super().start()
        self.attendance = Attendance(self.store, self.clock)
        self.sweep = self.sweeper(self.give)
        self.sweep.load([JOURNEY], self.clock.wall())
        return self

    def sweeper(self, give):
        return Sweep(
            self.store,
            self.attendance,
            PLACE,
            self.clock,
            give,
            self.lose,
            lambda: self.leads,
            lambda: self.owns,
        )

    async def give(self, skip):
        await self.ledger.give(skip)

    async def lose(self, slot):
        await self.walk(slot, Result.NOT_MEASURED)


@pytest.fixture
async def replicas(tmp_path, server, clock):
    clock._begun = AT
    made = [await Swept(tmp_path, server, clock, name).start() for name in "ab"]
    made[0].leads = True
    for one in made:
        await one.attendance.say()
    yield made
    for one in made:
        await one.stop()


def slots(begin, end, journey=JOURNEY):
    """Those of a journey between two moments, in seconds from the beginning."""
    plan = Plan(journey.cadence, (journey.name, PLACE))
    return [Slot(journey.name, PLACE, at) for at in plan.between(AT + begin, AT + end, 10**6)]


async def pass_by(clock, seconds, *there):
    """Let time pass, in which these are there."""
    for _ in range(round(seconds)):
        clock.advance(1)
        for one in there:
            await one.attendance.say()


async def test_what_is_overdue_gets_a_word_and_what_has_one_keeps_it(replicas, clock):
    """Capacity where all were there; what is not overdue yet waits, and nothing is said twice."""
    a, b = replicas
    await a.sweep.sweep()
    walked, lost, *missing, _ = slots(0, 60)
    await b.walk(walked)
    await b.store.create(key_names.claim(ids.run_id(lost)), b"b")
    await pass_by(clock, 60 + OVERDUE - 10, a, b)
    await a.sweep.sweep()
    words = {"pass": 1, "not_measured": 1, "capacity": len(missing)}
    assert await words_of(replicas) == words
    for one in (a, b):
        await one.sweep.sweep()
    assert await words_of(replicas) == words
    await pass_by(clock, 10, a, b)
    await b.sweep.sweep()
    assert (await b.words())["capacity"] == 1, "another goes on from there"


async def test_a_slot_that_is_walked_for_long_is_waited_for(replicas, clock):
    """Its claim holds: it, and what comes after it, is looked at once it has ended."""
    a, b = replicas
    await a.sweep.sweep()
    long, *others = slots(0, 40)
    await b.store.put(key_names.running("buy"), ids.run_id(long).encode())
    await b.store.put(key_names.claim(ids.run_id(long)), b"b")
    await pass_by(clock, 40 + OVERDUE, a, b)
    await a.sweep.sweep()
    assert await words_of(replicas) == {}
    await b.store.delete(key_names.running("buy"))
    await b.walk(long)
    await a.sweep.sweep()
    assert await words_of(replicas) == {"pass": 1, "capacity": len(others)}


@pytest.mark.parametrize("running", [False, True])
async def test_a_long_gap_is_a_word_for_each_journey(replicas, server, clock, running):
    """However many slots it has: ``down``, or ``queue`` where a replica was running in it."""
    a, b = replicas
    await a.sweep.sweep()
    before = slots(0, 30)
    for slot in before:
        await b.walk(slot)
    await pass_by(clock, 30, a, b)
    server.stop()
    for _ in range(6 * 360):
        clock.advance(10)
        for one in (a, b) if running else ():
            one.attendance._turned_at = clock.wall()
    server.start()
    if not running:
        for one in (a, b):
            await one.stop()
            await one.start()
    back = 30 + 6 * 3600
    await pass_by(clock, 2, a, b)
    await pass_by(clock, OVERDUE + 30, a, b)
    after = slots(back + 2, back + 20)
    for slot in after:
        await b.walk(slot)
    writes = server._revision
    await a.sweep.sweep()
    missed = len(slots(30, back + 2 + 30)) - len(after)
    reason = "queue" if running else "down"
    words = await words_of(replicas)
    assert words["pass"] == len(before) + len(after)
    assert words[reason] + words.get("capacity", 0) == missed
    assert words.get("capacity", 0) <= 1, "after it"
    assert server._revision - writes < 30, "most of them in one word"
    await b.sweep.sweep()
    assert await words_of(replicas) == words


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_sweep_that_is_killed_anywhere_is_gone_on_with(replicas, server, clock, steps):
    """By another, and by itself once it is back: no slot is left out, and none counted twice."""
    a, b = replicas
    await a.sweep.sweep()
    server.stop()
    clock.advance(400)
    server.start()
    await pass_by(clock, OVERDUE + 5, a, b)
    died = await a.killed_after(steps, a.sweep.sweep())
    await b.sweep.sweep()
    if died:
        await a.take_up()
    await b.sweep.sweep()
    expected = len(slots(0, 405))
    assert sum((await words_of(replicas)).values()) == expected
    assert not a.waiting + b.waiting


async def test_two_that_sweep_at_once_count_nothing_twice(replicas, server, clock):
    """One that was stopped and thinks that it leads does no harm."""
    a, b = replicas
    await a.sweep.sweep()
    clock.advance(1000)
    await pass_by(clock, OVERDUE, a, b)
    await asyncio.gather(a.sweep.sweep(), b.sweep.sweep())
    assert sum((await words_of(replicas)).values()) == len(slots(0, 1000))


async def test_a_day_is_counted_back_and_no_more(replicas, clock):
    """Older slots are nobody's."""
    a, b = replicas
    await a.sweep.sweep()
    clock.advance(30 * 3600)
    await pass_by(clock, OVERDUE, a, b)
    await a.sweep.sweep()
    words = await words_of(replicas)
    assert abs(sum(words.values()) - (24 * 3600 - OVERDUE) / 10) <= 1
    assert set(words) == {"down"}


async def test_other_journeys_are_swept_from_when_they_are_walked(replicas, clock):
    """Those of before up to then, by their own cadence: no slot is expected by both."""
    a, b = replicas
    await a.sweep.sweep()
    await pass_by(clock, 95, a, b)
    other = replace(JOURNEY, cadence=replace(JOURNEY.cadence, seconds=7.0), interval=7.0)
    new = a_journey("browse", 20, timeout=5, grace=1)
    a.sweep.load([other, new], clock.wall())
    await pass_by(clock, OVERDUE + 100, a, b)
    await a.sweep.sweep()
    told = await a.counts()
    begin, end = 95, 95 + OVERDUE + 100
    by_seven = len(slots(begin, end - Stretch.of(other, 0).overdue, other))
    assert told["buy"].expected == len(slots(0, begin)) + by_seven
    assert told["browse"].expected == len(slots(begin, end - Stretch.of(new, 0).overdue, new))
    a.sweep.load([], clock.wall())
    await pass_by(clock, 100, a, b)
    await a.sweep.sweep()
    assert (await a.counts())["browse"].expected == len(slots(begin, end, new))


async def test_what_comes_due_before_the_first_sweep_is_swept(replicas, clock):
    """From when the first of them walks it, though that one dies before it ever sweeps."""
    a, b = replicas
    clock._waits = True
    task = asyncio.create_task(b.sweep.run())
    for _ in range(2):
        await clock.sleeping(1.0)
        clock.advance(1)
    await clock.sleeping(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await pass_by(clock, OVERDUE + 60, a)
    a.sweep.load([JOURNEY], clock.wall())
    await a.sweep.sweep()
    assert await a.words() == {"capacity": len(slots(0, 62))}


async def test_only_who_leads_with_the_journeys_in_force_sweeps_and_not_at_once(replicas, clock):
    """All have some seconds, after the server came, to settle what they hold."""
    a, _ = replicas
    looked = []
    get = a.store.get
    a.store.get = lambda key: looked.append(key) or get(key)
    clock._waits = True
    task = asyncio.create_task(a.sweep.run())

    async def seconds(number):
        looked.clear()
        for _ in range(number):
            await clock.sleeping(1.0)
            clock.advance(1)
            for _ in range(20):
                await asyncio.sleep(0)
        return key_names.ATTENDANCE in looked

    assert not await seconds(14)
    assert await seconds(8)
    a.leads = False
    assert not await seconds(8)
    a.leads, a.owns = True, False
    assert not await seconds(8)
    a.owns = True
    assert await seconds(8)
    a.store.cut()
    await seconds(2)
    a.store.mend()
    assert not await seconds(12)
    assert await seconds(10)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
