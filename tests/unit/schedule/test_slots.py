import contextlib
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core import ids
from agent.core.model import Cadence, SkipReason, Slot
from agent.core.results import Result
from agent.schedule import slots
from agent.schedule.decision import Offer, Skip
from agent.schedule.plan import Plan
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from tests.support.build import a_journey
from tests.support.slot_counts import Counts, count_slots

SLOT = Slot("buy_a_mug", "eu", 1_700_000_000.25)
NEXT = Slot("buy_a_mug", "eu", 1_700_000_060.25)
OTHER = Slot("search", "eu", 1_700_000_000.25)


def opened():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(slots.SCHEMA)
    return connection


@pytest.fixture
def table():
    with contextlib.closing(opened()) as connection:
        yield connection


def balanced(table, name="buy_a_mug"):
    counts = count_slots(table, "eu").get(name, Counts())
    ended = sum(counts.results.values()) + sum(counts.skips.values())
    assert counts.expected == ended + counts.in_flight
    return counts


def offered(table, slot=SLOT):
    return slots.offer(table, slot)


def running(table, slot=SLOT):
    run_id = offered(table, slot)
    slots.start(table, run_id)
    return run_id


def test_the_schema_may_be_applied_again(table):
    """Opening an existing state folder changes nothing in it."""
    offered(table)
    table.executescript(slots.SCHEMA)
    assert balanced(table).in_flight == 1


def test_a_slot_walks_from_offer_to_result(table):
    """A slot is offered, runs, and ends in its result; it is counted at each step."""
    run_id = slots.offer(table, SLOT)
    assert run_id == ids.run_id(SLOT)
    assert balanced(table) == Counts(expected=1, in_flight=1)
    assert slots.start(table, run_id)
    assert balanced(table) == Counts(expected=1, in_flight=1)
    assert slots.finish(table, run_id, Result.FLAKY)
    assert balanced(table) == Counts(expected=1, results={Result.FLAKY: 1})


STEPS = {
    "start": slots.start,
    "finish": lambda table, run_id: slots.finish(table, run_id, Result.PASS),
    "skip": lambda table, run_id: slots.skip(table, run_id, SkipReason.CAPACITY),
}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ([], {"start", "skip"}),
        (["start"], {"finish"}),
        (["start", "finish"], set()),
        (["skip"], set()),
    ],
)
@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_step_is_allowed_from_its_own_state_only(table, path, allowed, step):
    """A step from any other state is refused and changes nothing: no slot ends twice."""
    run_id = offered(table)
    for name in path:
        STEPS[name](table, run_id)
    before = balanced(table)
    assert STEPS[step](table, run_id) == (step in allowed)
    assert (balanced(table) == before) == (step not in allowed or step == "start")


@pytest.mark.parametrize("step", sorted(STEPS))
def test_an_unknown_run_is_refused(table, step):
    """A run id that stands for no slot is refused."""
    assert not STEPS[step](table, ids.fresh_run_id(0))
    assert count_slots(table, "eu") == {}


def test_a_slot_is_decided_once(table):
    """A slot that was decided, by offer or by skip, can't be decided again, nor an older one."""
    assert offered(table, NEXT)
    assert slots.offer(table, NEXT) is None
    assert slots.offer(table, SLOT) is None
    assert not slots.pass_over(table, Skip(SLOT, SkipReason.LATE))
    later = Slot("buy_a_mug", "eu", NEXT.scheduled_at + 60)
    assert not slots.pass_over(table, Skip(later, SkipReason.LATE, 2, NEXT.scheduled_at))
    assert balanced(table).expected == 1
    assert slots.offer(table, OTHER) == ids.run_id(OTHER)


def test_slots_skipped_together_are_counted_one_by_one(table):
    """A gap takes one row, and every slot of it counts."""
    last = Slot("buy_a_mug", "eu", SLOT.scheduled_at + 60 * 86_399)
    assert slots.pass_over(table, Skip(last, SkipReason.DOWN, 86_400, SLOT.scheduled_at))
    assert slots.pass_over(table, Skip(OTHER, SkipReason.OVERRUN))
    assert balanced(table) == Counts(expected=86_400, skips={SkipReason.DOWN: 86_400})
    assert balanced(table, "search") == Counts(expected=1, skips={SkipReason.OVERRUN: 1})
    assert slots.last_decided(table, "eu")["buy_a_mug"] == last.scheduled_at


def test_what_a_killed_agent_left_is_listed(table):
    """Slots without a word are listed, oldest first, with what they were doing."""
    second = offered(table, NEXT)
    first = running(table, OTHER)
    done = running(table, Slot("pay", "eu", 5.0))
    slots.finish(table, done, Result.PASS)
    offered(table, Slot("pay", "us", 5.0))
    assert slots.unfinished(table, "eu") == [
        slots.Unfinished(first, OTHER, running=True),
        slots.Unfinished(second, NEXT, running=False),
    ]


def test_pruning_loses_rows_only(table):
    """After pruning the counts and the last decided slots stand, and open slots are there."""
    slots.finish(table, running(table), Result.FAIL)
    slots.pass_over(table, Skip(NEXT, SkipReason.LATE))
    offered(table, OTHER)
    before = balanced(table), slots.last_decided(table, "eu")
    assert slots.prune(table, NEXT.scheduled_at) == 1
    assert slots.prune(table, NEXT.scheduled_at + 1) == 1
    assert (balanced(table), slots.last_decided(table, "eu")) == before
    assert slots.offer(table, NEXT) is None
    assert [left.slot for left in slots.unfinished(table, "eu")] == [OTHER]


def test_a_journey_that_stopped_ticking_starts_anew(table):
    """Who wasn't ticking at the last load has no past to count, yet can't be decided again."""
    assert slots.decided_until(table) is None
    slots.note_ticking(table, "eu", {"buy_a_mug": 50.0, "search": 60.0})
    slots.note_ticking(table, "eu", {"buy_a_mug": 40.0})
    assert slots.last_decided(table, "eu") == {"buy_a_mug": 50.0}
    assert slots.decided_until(table) == 60.0
    assert slots.offer(table, Slot("search", "eu", 60.0)) is None
    slots.note_ticking(table, "us", {})
    assert slots.last_decided(table, "eu") == {}


def test_a_moment_between_two_milliseconds_decides_no_later_slot(table):
    """A journey that was settled a hair before a slot can still be offered that slot."""
    slots.note_ticking(table, "eu", {"buy_a_mug": SLOT.scheduled_at - 0.0004})
    assert slots.offer(table, SLOT)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.floats(0, 500), st.booleans()),
        st.tuples(st.just("step"), st.sampled_from([-4000, -30, -0.5, 30, 4000])),
        st.tuples(st.just("advance"), st.sampled_from(sorted(STEPS))),
        st.tuples(st.just("restart"), st.floats(0, 5000)),
        st.tuples(st.just("prune")),
    ),
    max_size=40,
)


class Agent:
    """The ticker over the table, put together as an agent does it, that can be killed."""

    def __init__(self, table, clock):
        cadences = {"buy_a_mug": Cadence(seconds=60), "search": Cadence(cron="*/3 * * * *")}
        self.table, self.clock = table, clock
        self.timeline = Timeline(clock, slots.decided_until(table))
        self.ticker = Ticker("eu")
        self.starting = True
        journeys = [a_journey(name, cadence, interval=60) for name, cadence in cadences.items()]
        self.ticker.load(journeys, slots.last_decided(table, "eu"), self.timeline.now())
        slots.note_ticking(table, "eu", self.ticker.decided())

    def tick(self, busy):
        now = self.timeline.now()
        obstacle = SkipReason.OVERRUN if busy else None
        for decision in self.ticker.due(now, lambda _: obstacle, starting=self.starting):
            if isinstance(decision, Offer):
                assert slots.offer(self.table, decision.slot)
            else:
                assert slots.pass_over(self.table, decision)
        self.starting = False


@settings(deadline=None)
@given(actions)
def test_the_table_balances_through_every_fate(manual_clock, actions):
    """Expected is results + skips + in flight, and every slot is expected exactly once.

    Through clocks set either way, runs that end or don't, pruning, kills and restarts.
    """
    clock = manual_clock()
    start = clock.wall()
    with contextlib.closing(opened()) as table:
        agent = Agent(table, clock)
        for action, *arguments in actions:
            if action == "tick":
                clock.advance(arguments[0])
                agent.tick(arguments[1])
            elif action == "step":
                clock.step(arguments[0])
            elif action == "advance" and (left := slots.unfinished(table, "eu")):
                STEPS[arguments[0]](table, left[0].run_id)
            elif action == "restart":
                clock.advance(arguments[0])
                agent = Agent(table, clock)
            elif action == "prune":
                slots.prune(table, clock.wall())
            balanced(table)
            balanced(table, "search")
        agent.tick(busy=False)
        if agent.timeline.now() - start < 86_400:
            for name, cadence in [
                ("buy_a_mug", Cadence(seconds=60)),
                ("search", Cadence(cron="*/3 * * * *")),
            ]:
                span = Plan(cadence, (name, "eu")).span(start, agent.timeline.now())
                assert balanced(table, name).expected == (span.count if span else 0)


def test_a_slot_that_another_replica_has(table):
    """It is decided and no more: no total counts it, nobody here runs or ends it, it is nothing
    that a killed agent left, and its row goes with the others."""
    assert slots.elsewhere(table, SLOT)
    assert not slots.elsewhere(table, SLOT)
    assert slots.offer(table, SLOT) is None
    run_id = ids.run_id(SLOT)
    assert not slots.start(table, run_id)
    assert not slots.finish(table, run_id, Result.PASS)
    assert not slots.skip(table, run_id, SkipReason.DOWN)
    assert slots.unfinished(table, "eu") == []
    assert count_slots(table, "eu") == {}
    assert slots.last_decided(table, "eu") == {SLOT.journey: SLOT.scheduled_at}
    assert slots.prune(table, SLOT.scheduled_at + 1) == 1
    assert slots.offer(table, SLOT) is None
