import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.core.model import Cadence, SkipReason, Slot
from agent.schedule.decision import Offer, Skip
from agent.schedule.plan import Plan, interval_of
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from tests.support.build import a_journey

NOW = 1_700_000_000.0
DAY = 86_400


def journey(name="buy_a_mug", cadence=None, *, enabled=True):
    cadence = cadence or Cadence(seconds=60)
    interval = interval_of(cadence)
    return a_journey(name, cadence, interval=interval, enabled=enabled)


def plan_of(a_journey):
    return Plan(a_journey.cadence, (a_journey.name, "eu"))


def ticker_of(*journeys, last=None, now=NOW):
    ticker = Ticker("eu")
    ticker.load(journeys, last or {}, now)
    return ticker


def tick(ticker, now, busy=(), *, starting=False):
    def obstacle(journey):
        return SkipReason.OVERRUN if journey.name in busy else None

    return ticker.due(now, obstacle, starting=starting)


def slot(at, name="buy_a_mug"):
    return Slot(name, "eu", at)


def times(plan, decision):
    """Every scheduled time that a decision is about."""
    last = decision.slot.scheduled_at
    if isinstance(decision, Offer):
        return [last]
    first = last if decision.since is None else decision.since
    slots = plan.between(first - 0.0005, last, 10**7)
    assert len(slots) == decision.count
    return slots


def test_a_slot_is_offered_once_at_its_moment():
    """A slot is offered when its moment has come, not before, and not a second time."""
    ticker, plan = ticker_of(journey()), plan_of(journey())
    due = plan.next(NOW)
    assert ticker.next_due() == due
    assert tick(ticker, due - 0.001) == []
    assert tick(ticker, due) == [Offer(slot(due))]
    assert tick(ticker, due) == []
    assert ticker.next_due() == due + 60


def test_a_journey_does_not_overlap_with_itself():
    """A slot that comes while the journey's last run goes on is skipped as an overrun."""
    ticker = ticker_of(journey(), journey("search"))
    decisions = []
    for seconds in range(60):
        decisions += tick(ticker, NOW + seconds, {"buy_a_mug"})
    mug, search = plan_of(journey()).next(NOW), plan_of(journey("search")).next(NOW)
    assert sorted(decisions, key=lambda decision: decision.slot.journey) == [
        Skip(slot(mug), SkipReason.OVERRUN),
        Offer(slot(search, "search")),
    ]


@pytest.mark.parametrize(
    ("seconds", "late", "offered"),
    [(60, 30, True), (60, 30.1, False), (3600, 300, True), (3600, 300.1, False)],
)
def test_a_slot_may_start_late_within_bounds(seconds, late, offered):
    """A slot runs up to half its interval late, at most five minutes; then it is skipped."""
    ticker = ticker_of(journey(cadence=Cadence(seconds=seconds)))
    due = ticker.next_due()
    expected = Offer(slot(due)) if offered else Skip(slot(due), SkipReason.LATE)
    assert tick(ticker, due + late) == [expected]


@pytest.mark.parametrize(
    ("starting", "reason"), [(True, SkipReason.DOWN), (False, SkipReason.LATE)]
)
def test_a_gap_becomes_one_counted_skip_and_an_offer(starting, reason):
    """Of a gap the newest slot may run; the others are skipped together, as down or late."""
    before = plan_of(journey()).next(NOW)
    ticker = ticker_of(journey(), last={"buy_a_mug": before}, now=before + 600)
    assert tick(ticker, before + 601, starting=starting) == [
        Skip(slot(before + 540), reason, 9, before + 60),
        Offer(slot(before + 600)),
    ]


def test_a_gap_whose_newest_slot_is_too_late_is_skipped_whole():
    """Where even the newest slot of a gap is too late, all go together."""
    before = plan_of(journey()).next(NOW)
    ticker = ticker_of(journey(), last={"buy_a_mug": before})
    assert tick(ticker, before + 640, starting=True) == [
        Skip(slot(before + 600), SkipReason.DOWN, 10, before + 60)
    ]


@pytest.mark.parametrize("starting", [True, False])
def test_a_gap_is_counted_back_a_day(starting):
    """A gap of a year is counted back 24 hours, in two decisions, whatever made it."""
    one = journey(cadence=Cadence(seconds=1))
    ticker = ticker_of(one, last={"buy_a_mug": NOW})
    newest = plan_of(one).next(NOW + 365 * DAY)
    assert tick(ticker, newest, starting=starting) == [
        Skip(
            slot(newest - 1),
            SkipReason.DOWN if starting else SkipReason.LATE,
            DAY - 1,
            newest - DAY + 1,
        ),
        Offer(slot(newest)),
    ]
    assert tick(ticker, newest) == []


def test_a_rare_journey_missed_days_ago_is_forgotten():
    """A weekly slot that lies more than 24 hours back is not decided, and the next one comes."""
    weekly = journey(cadence=Cadence(cron="0 3 * * 1"))
    due = plan_of(weekly).next(NOW)
    ticker = ticker_of(weekly, last={"buy_a_mug": NOW})
    assert tick(ticker, due + 3 * DAY, starting=True) == []
    assert ticker.next_due() == due + 7 * DAY


def test_a_new_journey_starts_from_now():
    """A journey that was never decided has no past to count."""
    due = plan_of(journey()).next(NOW)
    assert tick(ticker_of(journey()), due, starting=True) == [Offer(slot(due))]


def test_disabled_journeys_decide_nothing():
    """A disabled journey ticks not; enabled again it starts from then, with nothing missed."""
    ticker = ticker_of(journey())
    ticker.load([journey(enabled=False)], {"buy_a_mug": NOW}, NOW + 1)
    assert ticker.next_due() == math.inf
    assert tick(ticker, NOW + 600) == []
    ticker.load([journey()], {"buy_a_mug": NOW}, NOW + 600)
    due = plan_of(journey()).next(NOW + 600)
    assert tick(ticker, due) == [Offer(slot(due))]


def test_a_reload_leaves_what_has_not_changed():
    """A reload neither repeats nor forgets slots of a journey whose cadence stays."""
    ticker = ticker_of(journey())
    due = ticker.next_due()
    tick(ticker, due)
    ticker.load([replace(journey(), timeout=20)], {"buy_a_mug": NOW}, due + 65)
    assert tick(ticker, due + 65) == [Offer(slot(due + 60))]


def test_a_new_cadence_starts_from_now():
    """After a change of cadence the new slots come from then on, and no old one again."""
    ticker = ticker_of(journey())
    due = ticker.next_due()
    tick(ticker, due)
    faster = journey(cadence=Cadence(seconds=7))
    ticker.load([faster], {"buy_a_mug": due}, due + 300)
    first = plan_of(faster).next(due + 300)
    assert ticker.next_due() == first
    assert tick(ticker, first) == [Offer(slot(first))]


def test_a_bad_cadence_changes_nothing():
    """A load that fails is refused whole."""
    ticker = ticker_of(journey())
    bad = replace(journey("search"), cadence=Cadence(cron="bad"))
    with pytest.raises(ValueError, match="cron line"):
        ticker.load([bad], {}, NOW)
    assert set(ticker.decided()) == {"buy_a_mug"}


cadences = st.one_of(
    st.integers(1000, 7_200_000).map(lambda ms: Cadence(seconds=ms / 1000)),
    st.builds(
        Cadence,
        cron=st.sampled_from(["* * * * *", "*/7 1-3 * * *", "30 2,3 * * *", "0 * * * 0,3"]),
        timezone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
    ),
)
starts = st.sampled_from([NOW, 1_774_738_800.0, 1_792_879_200.0, 1_791_043_200.0])
"""Any evening, and the evenings before clocks change in Berlin (both ways) and Lord Howe."""
moves = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 2), st.floats(0, 4000)),
        st.sampled_from([0, 0, 0, 0.5, -0.5, -30, 30, -3600, 3600]),
        st.booleans(),
    ),
    max_size=20,
)


@settings(deadline=None)
@given(cadences, starts, moves)
def test_every_slot_is_decided_exactly_once(manual_clock, cadence, start, moves):
    """However ticks fall and clocks are set: none twice, none forgotten, strictly in order.

    One tick at the end decides the same slots, in fewer words.
    """
    one = journey(cadence=cadence)
    plan, clock = plan_of(one), manual_clock(start)
    timeline, ticker = Timeline(clock), ticker_of(one, now=start)
    decided = []
    for passed, step, busy in moves:
        clock.advance(passed)
        clock.step(step)
        now = timeline.now()
        for decision in tick(ticker, now, {"buy_a_mug"} if busy else ()):
            decided.extend(times(plan, decision))
            assert not (busy and isinstance(decision, Offer))
        assert ticker.next_due() > now
    end = timeline.now()
    assume(end - start < DAY)
    assert all(a < b for a, b in pairwise(decided))
    assert decided == plan.between(start, end, 10**7)
    at_once = tick(ticker_of(one, now=start), end)
    assert [at for decision in at_once for at in times(plan, decision)] == decided
    assert len(at_once) <= 2


@settings(deadline=None)
@given(st.lists(st.integers(1000, 100_000), min_size=2, max_size=5), st.floats(0, 2000))
def test_decisions_come_in_the_order_of_their_times(lengths, gap):
    """Whatever journeys are due together, the earlier slot comes first."""
    journeys = [
        journey(f"j{n}", Cadence(seconds=length / 1000)) for n, length in enumerate(lengths)
    ]
    ticker = ticker_of(*journeys)
    decisions = tick(ticker, NOW + gap)
    order = [decision.slot.scheduled_at for decision in decisions]
    assert order == sorted(order)
    assert ticker.next_due() > NOW + gap


def test_the_next_slot_is_told_before_it_comes():
    """What is told is then offered; who doesn't tick has none to come."""
    one, off = journey(), journey("off", enabled=False)
    ticker = ticker_of(one, off)
    due = ticker.next_slot("buy_a_mug")
    assert tick(ticker, due) == [Offer(slot(due))]
    assert ticker.next_slot("buy_a_mug") == due + 60
    assert ticker.next_slot("off") is None
    assert ticker.next_slot("unknown") is None


def test_the_gap_of_a_cron_line_is_that_to_its_next_slot():
    """Over a weekend the gap is days, not the line's shortest one; an interval is its own gap."""
    weekdays = journey("office", Cadence(cron="0 9-17 * * 1-5"))
    minutes = journey("every_minute")
    friday_six = 1_700_243_999.0  # 17 November 2023, just before 18:00 UTC
    ticker = ticker_of(weekdays, minutes, now=friday_six - 3600)
    tick(ticker, friday_six)
    assert ticker.gap(weekdays) == 64 * 3600
    assert ticker.gap(minutes) == 60
    assert ticker.gap(journey("unknown", Cadence(seconds=7))) == 7
