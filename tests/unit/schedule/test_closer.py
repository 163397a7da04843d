"""Closer runs on the time line: between the slots, on their own grid, never in a slot's way."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from agent.schedule.plan import Plan
from agent.schedule.ticker import Ticker
from tests.support.build import a_journey

NOW = 1_700_000_000.0
JOURNEY = a_journey(every=60.0, every_failing=20.0)


class Watch:
    """A ticker, and how much room a closer run of its journey needs; None: it is well."""

    def __init__(self, journey=JOURNEY):
        self.ticker = Ticker("eu")
        self.ticker.load([journey], {}, NOW)
        self.slot = Plan(journey.cadence, (journey.name, "eu")).next(NOW)
        self.room: float | None = 10.0
        self.tick(0)

    def tick(self, seconds):
        """Turn once, so many seconds after the slot; return the closer moments, as seconds."""
        now = self.slot + seconds
        self.ticker.due(now, lambda _: False, starting=False)
        due = self.ticker.closer(now, lambda _: self.room)
        assert all(closer.room == pytest.approx(60 - seconds % 60) for closer in due)
        return [round(closer.slot.scheduled_at - self.slot, 3) for closer in due]

    def turn(self, until, step=0.5):
        return [
            moment for tick in range(1, int(until / step) + 1) for moment in self.tick(tick * step)
        ]


def test_they_lie_on_a_grid_from_the_last_slot():
    """Whole multiples of every_failing after each slot, never on one, however often it turns."""
    assert Watch().turn(180) == [20, 40, 80, 100, 140, 160]
    assert Watch().turn(180, step=0.9) == [20, 40, 80, 100, 140, 160]


def test_a_slot_that_would_be_in_the_way_is_left_out():
    """One begins only where what it needs is over before the next slot."""
    watch = Watch()
    watch.room = 20.0
    assert watch.turn(60) == [20, 40]
    watch = Watch()
    watch.room = 21.0
    assert watch.turn(60) == [20]


def test_a_journey_that_is_well_has_none():
    """What is not watched has none, and moments that passed by then don't come back."""
    watch = Watch()
    watch.room = None
    assert watch.turn(30) == []
    assert watch.ticker.next_closer("buy_a_mug") is None
    watch.room = 10.0
    assert watch.tick(31) == []
    assert watch.ticker.next_closer("buy_a_mug") == watch.slot + 40
    assert watch.tick(40) == [40]


def test_a_gap_makes_no_run_of_the_past():
    """After a suspend the newest moment runs where it is young, and none of the others."""
    watch = Watch()
    assert watch.tick(45) == [40]
    watch = Watch()
    assert watch.tick(35) == []
    assert watch.tick(40) == [40]


def test_without_the_key_there_are_none():
    """A journey without every_failing is walked at its slots alone."""
    assert Watch(replace(JOURNEY, every_failing=None)).turn(120) == []


def test_a_reload_that_takes_the_key_away_ends_them_and_one_that_brings_it_begins_anew():
    """A reload goes on from the same slots; what passed before it doesn't come back."""
    watch = Watch()
    assert watch.tick(20) == [20]
    watch.ticker.load([replace(JOURNEY, every_failing=None)], {}, watch.slot + 30)
    assert watch.tick(40) == []
    watch.ticker.load([JOURNEY], {}, watch.slot + 41)
    assert [watch.tick(seconds) for seconds in (42, 50, 59.5)] == [[], [], []]
    assert watch.tick(80) == [80]


def test_the_schedule_wakes_for_them():
    """The next tick is at the next closer moment, where that comes before the slot."""
    watch = Watch()
    watch.tick(1)
    assert watch.ticker.next_tick() == watch.slot + 20
    assert watch.ticker.next_due() == watch.slot + 60
    watch.room = None
    watch.tick(2)
    assert watch.ticker.next_tick() == watch.slot + 60
    assert Ticker("eu").next_tick() == math.inf
