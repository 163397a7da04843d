"""Attendance: when nobody reached the queue, and whether that was the queue's fault."""

from __future__ import annotations

from contextlib import suppress

import pytest

from agent.core.model import SkipReason
from agent.queue import key_names
from agent.queue.shared import Away
from agent.replicas.attendance import Attendance


@pytest.fixture
def stores(server):
    return [server.store() for _ in range(2)]


async def pass_by(clock, seconds, *there):
    """Let time pass, in which these say that they are there."""
    for _ in range(round(seconds)):
        clock.advance(1)
        for one in there:
            with suppress(Away):
                await one.say()


async def test_one_that_is_there_is_enough(stores, clock):
    """There is no gap for the one that was cut off while the other went on."""
    one, other = (Attendance(store, clock) for store in stores)
    await pass_by(clock, 10, one, other)
    stores[0].cut()
    await pass_by(clock, 60, one, other)
    stores[0].mend()
    await pass_by(clock, 10, one, other)
    assert (await one.roll()).gaps == ()


async def test_a_queue_that_was_away_is_told_from_replicas_that_were_down(server, stores, clock):
    """Who was running all the while says so, also after one that was started late; and from when
    it was running, where it was started in between."""
    one = Attendance(stores[0], clock)
    await pass_by(clock, 10, one)
    down = clock.wall()
    clock.advance(100)
    server.stop()
    late = Attendance(stores[1], clock)
    await pass_by(clock, 200, late)
    server.start()
    await Attendance(stores[0], clock).say()
    (gap,) = (await late.roll()).gaps
    assert gap.reason(down + 150) is SkipReason.DOWN, "by who has only just come"
    await late.say()
    (gap,) = (await late.roll()).gaps
    assert -2 <= gap.begin - down <= 0
    assert gap.end - down == 300
    reasons = [gap.reason(down + at) for at in (-5, 50, 95, 105, 250)]
    assert reasons == [SkipReason.DOWN] * 3 + [SkipReason.QUEUE] * 2


@pytest.mark.parametrize("advance", ["advance", "step"])
async def test_a_process_that_stood_still_was_not_there(stores, clock, advance):
    """A machine that was suspended, or a process that was stopped, is no queue that was away."""
    one = Attendance(stores[0], clock)
    await pass_by(clock, 10, one)
    at = clock.wall()
    getattr(clock, advance)(600)
    await one.say()
    (gap,) = (await one.roll()).gaps
    assert gap.reason(at + 300) is SkipReason.DOWN


async def test_gaps_are_forgotten_and_nonsense_is_none(stores, clock):
    """A day later nobody asks for them; what can't be read says that nobody was missing."""
    one = Attendance(stores[0], clock)
    await one.say()
    clock.advance(60)
    await one.say()
    assert len((await one.roll()).gaps) == 1
    for _ in range(27 * 360):
        clock.advance(10)
        one._turned_at = clock.wall()
    await one.say()
    await one.say()
    gaps = (await one.roll()).gaps
    assert len(gaps) == 1
    assert gaps[0].end == clock.wall()
    await stores[0].put(key_names.ATTENDANCE, b"nonsense")
    assert (await one.roll()).gaps == ()
    await one.say()
    clock.advance(2.5)
    await one.say()
    assert (await one.roll()).gaps == ()
