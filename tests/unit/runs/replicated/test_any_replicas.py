"""Three replicas through any fate: no slot is counted twice, and in the end each is counted."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.core.model import SkipReason
from agent.core.results import Result
from agent.schedule.decision import Elsewhere, Skip
from tests.support.clock import ManualClock
from tests.support.fuzz import effort
from tests.support.memory_store import MemoryServer
from tests.unit.runs.replicated.conftest import AT, Replica, slot

SLOTS = [slot(number, journey) for number in range(3) for journey in ("buy", "browse")]
which = st.sampled_from(range(3))
slots_ = st.sampled_from(SLOTS)
steps = st.none() | st.integers(0, 8)
"""Commits and questions until a kill; None: it isn't killed."""


class Fates(RuleBasedStateMachine):
    """Their books, and a store that each may be cut off from or lose an answer of."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="footfall-"))
        self.loop = asyncio.new_event_loop()
        self.logs = structlog.testing.capture_logs()
        self.logs.__enter__()

    @initialize()
    def begin(self):
        clock = ManualClock(AT)
        self.server = MemoryServer(clock)
        self.replicas = [
            self.run(Replica(self.folder, self.server, clock, name).start()) for name in "abc"
        ]

    def teardown(self):
        try:
            if hasattr(self, "replicas"):
                self.in_the_end_each_has_one()
                for one in self.replicas:
                    self.run(one.stop())
        finally:
            self.logs.__exit__(None, None, None)
            self.loop.close()
            shutil.rmtree(self.folder)

    def run(self, work):
        return self.loop.run_until_complete(work)

    def live(self, number, work, left):
        one = self.replicas[number]
        if left is None:
            self.run(work)
        elif self.run(one.killed_after(left, work)) and one.store.connected:
            self.run(one.take_up())

    @rule(number=which, at=slots_, result=st.sampled_from(list(Result)), left=steps)
    def walk(self, number, at, result, left):
        self.live(number, self.replicas[number].walk(at, result), left)

    @rule(number=which, at=slots_, left=steps)
    def decide_a_skip(self, number, at, left):
        decided = [Skip(at, SkipReason.PAUSED)]
        self.live(number, self.replicas[number].ledger.decide(decided), left)

    @rule(number=which, at=slots_)
    def leave(self, number, at):
        self.run(self.replicas[number].ledger.decide([Elsewhere(at)]))

    @rule(number=which, at=slots_, left=steps)
    def give(self, number, at, left):
        skip = Skip(at, SkipReason.CAPACITY)
        self.live(number, self.replicas[number].ledger.give(skip), left)

    @rule(number=which, left=steps)
    def settle(self, number, left):
        self.live(number, self.replicas[number].ledger.settle_all(), left)

    @rule(number=which)
    def cut(self, number):
        self.replicas[number].store.cut()

    @rule(number=which)
    def mend(self, number):
        self.replicas[number].store.mend()

    @rule(number=which)
    def lose_an_answer(self, number):
        self.replicas[number].store.lost_answers = 1

    def counted(self):
        found = Counter()
        for one in self.replicas:
            self.run(one.words())
            rows = self.run(
                one.database.transaction(
                    lambda c: c.execute(
                        "SELECT journey, scheduled_at FROM slots WHERE state IN ('done', 'skipped')"
                    ).fetchall()
                )
            )
            found.update((row["journey"], row["scheduled_at"]) for row in rows)
        return found

    @invariant()
    def none_has_two(self):
        if hasattr(self, "replicas"):
            assert not {at: times for at, times in self.counted().items() if times > 1}

    def in_the_end_each_has_one(self):
        for one in self.replicas:
            one.store.mend()
            one.store.lost_answers = 0
            self.run(one.take_up())
        for at in SLOTS:
            self.run(self.replicas[0].ledger.give(Skip(at, SkipReason.CAPACITY)))
        counted = self.counted()
        assert len(counted) == len(SLOTS), "none is left out"
        assert set(counted.values()) == {1}
        assert not sum(one.waiting for one in self.replicas)


TestFates = Fates.TestCase
TestFates.settings = effort(8, stateful_step_count=20)
