"""The schedule through any fate: clocks set, reloads, kills between any two steps."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.core.model import Cadence, SkipReason
from agent.core.results import Result
from agent.schedule import slots
from agent.schedule.decision import Offer
from agent.schedule.plan import Plan, interval_of
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from agent.storage import rollups
from tests.support.build import a_journey
from tests.support.clock import ManualClock
from tests.support.fuzz import effort
from tests.support.slot_counts import count_slots

DAY = 86_400
NAMES = ["buy_a_mug", "search", "pay"]
LINES = {
    "* * * * *": lambda _: True,
    "*/7 1-3 * * *": lambda t: t.minute % 7 == 0 and 1 <= t.hour <= 3,
    "30 2,3 * * *": lambda t: t.minute == 30 and t.hour in {2, 3},
    "*/10 * * * 0": lambda t: t.minute % 10 == 0 and t.strftime("%a") == "Sun",
    "5 */2 * * 7": lambda t: t.minute == 5 and t.hour % 2 == 0 and t.strftime("%a") == "Sun",
    "0 12 1 * sat": lambda t: (
        (t.minute, t.hour) == (0, 12) and (t.day == 1 or t.strftime("%a") == "Sat")
    ),
}
cadences = st.one_of(
    st.integers(7_000, 7_200_000).map(lambda ms: Cadence(seconds=ms / 1000)),
    st.builds(
        Cadence,
        cron=st.sampled_from(sorted(LINES)),
        timezone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"]),
    ),
)
configurations = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(cadences, st.booleans() | st.just(value=True)), max_size=3
)
# Any evening, those before clocks change in Berlin and Lord Howe, a Saturday, one just before 1971.
starts = st.sampled_from(
    [1.7e9, 1_774_738_800.0, 1_792_879_200.0, 1_791_043_200.0, 1_700_956_800.0, 31_500_000.25]
)
passing = st.one_of(
    st.floats(0, 2),
    st.floats(0, 400),
    st.floats(0, 4000),
    st.sampled_from([30.0 * 3600, 8.0 * DAY]),
)
steps = st.sampled_from([-400_000, -3600, -30, -0.5, 0.5, 30, 3600, 90_000])


@dataclass
class Known:
    """What must hold of a journey, kept beside the product."""

    cadence: Cadence
    until: float
    """Every slot up to here is decided, and none beyond."""


@dataclass
class Books:
    """What was ever decided."""

    expected: dict[str, int] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)


class Schedule(RuleBasedStateMachine):
    """Timeline, ticker and slot table as the daemon puts them together."""

    def __init__(self):
        super().__init__()
        self.table = sqlite3.connect(":memory:", isolation_level=None)
        self.table.row_factory = sqlite3.Row
        self.table.executescript(slots.SCHEMA)
        self.books = Books()
        self.known: dict[str, Known] = {}
        self.settled: dict[str, float] = {}
        self.offsets: dict[tuple[str, Cadence], int] = {}
        self.ended: dict[str, sqlite3.Row] = {}
        """Every row of the slot table that ever ended, pruned or not."""

    def teardown(self):
        self.table.close()

    # The agent's life.

    @initialize(start=starts, wanted=configurations)
    def begin(self, start, wanted):
        self.clock = ManualClock(start)
        self._start(wanted)

    @rule(passed=passing, step=steps | st.just(0), wanted=configurations | st.none())
    def kill_and_start(self, passed, step, wanted):
        """A kill at any moment; the configuration may be another one by then."""
        self.clock.advance(passed)
        self.clock.step(step)
        self._start(self.wanted if wanted is None else wanted)

    @rule(
        passed=passing,
        wanted=configurations,
        kept=st.sets(st.sampled_from(NAMES)),
        settled=st.booleans(),
    )
    def reload(self, passed, wanted, kept, settled):
        """Other journeys from now on; a kill may come before that is written down."""
        wanted = wanted | {name: one for name, one in self.wanted.items() if name in kept}
        self.clock.advance(passed)
        now = self.timeline.now()
        self._load(wanted, now)
        known = {}
        for name, cadence in self._enabled(wanted).items():
            before = self.known.get(name)
            same = before is not None and before.cadence == cadence
            known[name] = before if same else Known(cadence, now)
        self.known = known
        if settled:
            self._settle()
        else:
            self._start(wanted)

    @rule(passed=passing)
    def tick(self, passed):
        self.clock.advance(passed)
        self._tick(written=True)

    @rule(passed=passing)
    def tick_and_die(self, passed):
        """Killed before the tick's decisions are written down: they were never made."""
        self.clock.advance(passed)
        self._tick(written=False)
        self._start(self.wanted)

    @rule(step=steps)
    def set_the_clock(self, step):
        self.clock.step(step)

    @precondition(lambda self: slots.unfinished(self.table, "eu"))
    @rule(ends=st.sampled_from(["start", "finish", "skip"]), which=st.integers(0, 5))
    def run(self, ends, which):
        """A run begins, or ends in a result or a skip."""
        left = slots.unfinished(self.table, "eu")
        one = left[which % len(left)]
        if ends == "start":
            assert slots.start(self.table, one.run_id) is not one.running
        elif one.running:
            assert slots.finish(self.table, one.run_id, Result.FLAKY)
        else:
            assert slots.skip(self.table, one.run_id, SkipReason.CAPACITY)

    @rule()
    def prune(self):
        slots.prune(self.table, self.timeline.now())

    # What must hold.

    @invariant()
    def the_books_balance(self):
        counts = count_slots(self.table, "eu")
        assert {name: one.expected for name, one in counts.items()} == self.books.expected
        for one in counts.values():
            ended = sum(one.results.values()) + sum(one.skips.values())
            assert one.expected == ended + one.in_flight
            assert one.in_flight <= 1, "a journey overlaps with itself"

    @invariant()
    def the_days_are_a_recount_of_the_slots(self):
        """Whatever the order in which they ended, restarts in between and clocks that were set."""
        rows = self.table.execute("SELECT * FROM slots WHERE state IN ('done', 'skipped')")
        self.ended.update({row["run_id"]: row for row in rows})
        counted = Counter()
        for row in self.ended.values():
            first, last = (row[key] - row["ahead"] for key in ("since", "scheduled_at"))
            gap = (last - first) / max(1, row["count"] - 1)
            for number in range(row["count"]):
                day = datetime.fromtimestamp((first + number * gap) / 1000, UTC).date()
                counted[row["journey"], day, row["result"] or row["reason"]] += 1
        told = Counter()
        for name in NAMES:
            for at, day in rollups.read(self.table, (name, "eu"), DAY, (-1e12, 1e12)).items():
                of = name, datetime.fromtimestamp(at, UTC).date()
                told[*of, Result.FLAKY] = day.tally.flaky
                told[*of, Result.NOT_MEASURED] = day.tally.not_measured
                told.update({(*of, reason): count for reason, count in day.skipped.items()})
                assert day.tally.skipped == day.skipped.total()
        assert +told == counted

    # Small parts.

    def _enabled(self, wanted):
        return {name: cadence for name, (cadence, enabled) in wanted.items() if enabled}

    def _start(self, wanted):
        for left in slots.unfinished(self.table, "eu"):
            if left.running:
                assert slots.finish(self.table, left.run_id, Result.NOT_MEASURED)
            else:
                assert slots.skip(self.table, left.run_id, SkipReason.DOWN)
        self.timeline = Timeline(self.clock, slots.decided_until(self.table))
        self.ticker = Ticker("eu")
        self.starting = True
        now = self.timeline.now()
        self._load(wanted, now)
        self.known = {
            name: Known(cadence, self.settled.get(name, now))
            for name, cadence in self._enabled(wanted).items()
        }
        self._settle()

    def _load(self, wanted, now):
        journeys = [
            a_journey(name, cadence, interval=interval_of(cadence), timeout=5, enabled=enabled)
            for name, (cadence, enabled) in wanted.items()
        ]
        self.ticker.load(journeys, slots.last_decided(self.table, "eu"), now)
        self.wanted = wanted

    def _settle(self):
        slots.note_ticking(self.table, "eu", self.ticker.decided())
        self.settled = {name: one.until for name, one in self.known.items()}

    def _tick(self, *, written):
        now = self.timeline.now()
        busy = {left.slot.journey for left in slots.unfinished(self.table, "eu")}
        decisions = self.ticker.due(
            now,
            lambda journey: SkipReason.OVERRUN if journey.name in busy else None,
            starting=self.starting,
        )
        order = [decision.slot.scheduled_at for decision in decisions]
        assert order == sorted(order)
        assert self.ticker.next_due() > now
        assert {decision.slot.journey for decision in decisions} <= set(self.known)
        for name, one in self.known.items():
            mine = [decision for decision in decisions if decision.slot.journey == name]
            due = Plan(one.cadence, (name, "eu")).between(max(one.until, now - DAY), now, 10**6)
            self._check(name, one, mine, due, now, busy)
            if written and due:
                assert due[0] > self.books.last.get(name, 0), "decided twice"
                self.books.last[name] = one.until = self.settled[name] = due[-1]
                self.books.expected[name] = self.books.expected.get(name, 0) + len(due)
        for decision in decisions if written else []:
            if isinstance(decision, Offer):
                assert slots.offer(self.table, decision.slot, self.timeline.ahead())
            else:
                assert slots.pass_over(self.table, decision, self.timeline.ahead())
        self.starting = False

    def _check(self, name, one, mine, due, now, busy):
        """Each slot that is due has one decision: the newest may run, what lies before can't."""
        assert sum(getattr(decision, "count", 1) for decision in mine) == len(due)
        if not due:
            return
        assert all(a < b for a, b in pairwise(due))
        self._check_alignment(name, one, due)
        gap = SkipReason.DOWN if self.starting else SkipReason.LATE
        *older, newest = mine
        assert newest.slot.scheduled_at == due[-1]
        if now - due[-1] > min(interval_of(one.cadence) / 2, 300):
            assert (older, newest.reason, newest.count) == ([], gap, len(due))
            return
        if name in busy:
            assert (newest.reason, newest.count) == (SkipReason.OVERRUN, 1)
        else:
            assert isinstance(newest, Offer)
        for skip in older:
            assert (skip.reason, skip.slot.scheduled_at) == (gap, due[-2])
            assert (skip.since or due[0]) == due[0]

    def _check_alignment(self, name, one, due):
        """An interval's slots lie where they always lay; a cron line's where the wall shows it."""
        if one.cadence.seconds is not None:
            length = round(one.cadence.seconds * 1000)
            offsets = {round(at * 1000) % length for at in (due[0], due[-1])}
            offsets.add(self.offsets.setdefault((name, one.cadence), min(offsets)))
            assert len(offsets) == 1
            assert all(round((b - a) * 1000) == length for a, b in pairwise(due))
            return
        zone, fires = ZoneInfo(one.cadence.timezone), LINES[one.cadence.cron]
        for at in {due[0], due[len(due) // 2], due[-1]}:
            local = datetime.fromtimestamp(at, UTC).astimezone(zone)
            before = (datetime.fromtimestamp(at, UTC) - timedelta(seconds=1)).astimezone(zone)
            assert fires(local) or local.utcoffset() > before.utcoffset()


TestSchedule = Schedule.TestCase
TestSchedule.settings = effort(60, stateful_step_count=25)
