from itertools import pairwise

import pytest

from agent.core.model import Cadence, SkipReason
from agent.schedule import loop
from agent.schedule.decision import Skip
from agent.schedule.plan import Plan
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from tests.support.build import a_journey

CADENCE = Cadence(seconds=7.25)


class Enough(Exception):
    pass


def ticker_from(decided, now):
    ticker = Ticker("eu")
    mug = a_journey(every=CADENCE, timeout=5)
    ticker.load([mug], decided, now)
    return ticker


async def test_it_ticks_each_second_and_at_every_slot(manual_clock):
    """Every slot is offered at its own moment, and no two ticks are over a second apart."""
    clock = manual_clock()
    start = clock.wall()
    ticks, offers = [], []

    async def carry_out(decisions):
        ticks.append(clock.wall())
        offers.extend((d.slot.scheduled_at, clock.wall()) for d in decisions)
        if clock.wall() > start + 60:
            raise Enough

    with pytest.raises(Enough):
        await loop.run(clock, Timeline(clock), ticker_from({}, start), lambda _: None, carry_out)
    slots = Plan(CADENCE, ("buy_a_mug", "eu")).between(start, ticks[-1], 100)
    assert [slot for slot, _ in offers] == slots
    assert all(0 <= at - slot < 0.002 for slot, at in offers)
    assert max(b - a for a, b in pairwise(ticks)) <= 1.001
    assert len(ticks) < 80


async def test_only_the_first_tick_is_a_start(manual_clock):
    """What the first tick finds missed was down; what a later one finds is late."""
    clock = manual_clock()
    ticks = []

    async def carry_out(decisions):
        ticks.append({d.reason for d in decisions if isinstance(d, Skip)} - {"overrun"})
        if len(ticks) == 3:
            raise Enough
        clock.step(100)

    ticker = ticker_from({"buy_a_mug": clock.wall() - 100}, clock.wall())
    with pytest.raises(Enough):
        await loop.run(clock, Timeline(clock), ticker, lambda _: SkipReason.OVERRUN, carry_out)
    assert ticks == [{"down"}, {"late"}, {"late"}]
