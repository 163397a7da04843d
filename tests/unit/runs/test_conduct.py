"""Conducting a run over a walker that does as it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import ErrorType
from agent.core.results import AttemptRecord, Result
from agent.runs.conduct import conduct, interrupted
from agent.runs.network import Network
from agent.runs.request import RunRequest
from tests.support.clock import ManualClock
from tests.support.fuzz import effort
from tests.unit.runs.conftest import record, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.results import Attempt
    from agent.runs.request import AttemptOrder, RunRequest


@dataclass
class Script:
    """A walker: gives one record after the other, each taking ``takes`` seconds."""

    clock: ManualClock
    records: list[AttemptRecord]
    takes: float = 4.0
    walks: list[tuple[int, str, int | None]] = field(default_factory=list)
    may_record: list[bool] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    kept: list[tuple[int, Result, Sequence[str]]] = field(default_factory=list)
    kept_under: set[float] = field(default_factory=set)

    async def walk(self, request: RunRequest, order: AttemptOrder) -> AttemptRecord:
        number = order.number
        self.walks.append((number, order.span_id, order.avoid))
        self.may_record.append(order.may_record)
        self.began.append(self.clock.now)
        self.clock.advance(self.takes)
        return replace(self.records[len(self.walks) - 1], worker=10 * number)

    async def rest(self, seconds: float) -> None:
        self.clock.advance(max(0.0, seconds))

    async def compare(self, request: RunRequest, attempt: Attempt) -> Attempt:
        return attempt

    def keep(
        self, request: RunRequest, started_at: float, attempt: Attempt, evidence: Sequence[str]
    ) -> Attempt:
        self.kept_under.add(started_at)
        self.kept.append((attempt.number, attempt.result, evidence))
        return replace(attempt, artifacts=tuple(f"kept/{attempt.number}/{e}" for e in evidence))


PASSES = record(report(requests={"first ok": 1}))
FAILS = record(report(error_type=ErrorType.ASSERTION, error="no", evidence=("screenshot.png",)))
UNMEASURED = record(death=ErrorType.WORKER_LOST, detail="gone")


@pytest.fixture
def clock():
    return ManualClock(1000.0)


@pytest.fixture
def run(clock, request_):
    async def conducted(*records, takes=4.0, closer_within=None, **changes):
        walker = Script(clock, list(records), takes)
        journey = replace(request_.journey, **changes)
        asked = replace(request_, journey=journey, closer_within=closer_within)
        return await conduct(asked, walker, Network(()), clock), walker

    return conducted


async def test_a_pass_is_walked_once(run, request_):
    """One attempt, whose times and ids are the run's."""
    result, walker = await run(PASSES)
    assert (result.result, len(result.attempts)) == (Result.PASS, 1)
    assert (result.run_id, result.trace_id) == (request_.run_id, request_.trace_id)
    assert (result.started_at, result.ended_at) == (1000.0, 1004.0)
    assert result.duration == 3.0, "of the attempt, not of the run"
    assert [(number, avoid) for number, _, avoid in walker.walks] == [(1, None)]


@pytest.mark.parametrize(("within", "walks"), [(60.0, 2), (29.0, 2), (28.9, 1)])
async def test_a_closer_run_is_confirmed_where_there_is_room(run, request_, within, walks):
    """The confirming attempt fits before the next slot, by its timeout and grace, or is not
    made; it is a fail then too."""
    # 4 s of walking, 3 s of rest, 20 s of timeout and 2 s of grace.
    result, walker = await run(FAILS, FAILS, closer_within=within)
    assert (result.result, result.closer) == (Result.FAIL, True)
    assert len(walker.walks) == walks


async def test_a_fail_is_confirmed_in_another_worker(run):
    """The second attempt avoids the first one's worker and has a span of its own."""
    result, walker = await run(FAILS, FAILS)
    assert result.result is Result.FAIL
    assert [(number, avoid) for number, _, avoid in walker.walks] == [(1, None), (2, 10)]
    spans = [attempt.span_id for attempt in result.attempts]
    assert spans == [span_id for _, span_id, _ in walker.walks]
    assert len({*spans, result.span_id}) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", span_id) for span_id in spans)


@pytest.mark.parametrize(("confirm_after", "second"), [(3.0, 7.0), (0.5, 4.5), (0.0, 4.0)])
async def test_a_fail_is_confirmed_some_time_after_its_end(run, confirm_after, second):
    """Counted from where the attempt of 4 s ended, not from where it began."""
    _, walker = await run(FAILS, FAILS, confirm_after=confirm_after)
    assert walker.began == [0.0, second]


@pytest.mark.parametrize("records", [(UNMEASURED, FAILS), (UNMEASURED, UNMEASURED)])
async def test_what_was_not_measured_is_tried_again_at_once(run, records):
    """It was no failure of the site, so there is no blip to wait for."""
    _, walker = await run(*records)
    assert walker.began == [0.0, 4.0]


async def test_judging_counts_as_waiting(clock, request_):
    """References that took 2 s to answer don't put the confirmation off any further."""

    class Slow(Network):
        async def is_down(self, *_: object) -> bool:
            clock.advance(2.0)
            return False

    gone = record(report(error_type=ErrorType.NAVIGATION, error="refused", unreachable=True))
    walker = Script(clock, [gone, PASSES])
    await conduct(request_, walker, Slow(()), clock)
    assert walker.began == [0.0, 7.0]


@effort(60)
@given(begins=st.floats(-5, 5), lasts=st.floats(0, 2.999), takes=st.floats(0, 30))
async def test_a_blip_does_not_confirm_itself(request_, begins, lasts, takes):
    """An outage shorter than confirm_after is flaky or goes unseen, wherever it falls: each
    attempt sees the site at its end."""

    class Blip(Script):
        async def walk(self, request: RunRequest, order: AttemptOrder) -> AttemptRecord:
            await super().walk(request, order)
            return FAILS if begins <= self.clock.now < begins + lasts else PASSES

    clock = ManualClock(1000.0)
    result = await conduct(request_, Blip(clock, [PASSES] * 2, takes), Network(()), clock)
    assert result.result in {Result.PASS, Result.FLAKY}


async def test_a_fail_that_the_agents_end_left_unconfirmed_is_none(run):
    """The other walk of an agent that ends comes back at once, and blames nobody."""
    ended = record(death=ErrorType.WORKER_LOST, detail="the agent was stopped", last=True)
    result, _ = await run(replace(FAILS, last=True), ended)
    assert (result.result, result.error_type) == (Result.NOT_MEASURED, ErrorType.WORKER_LOST)
    assert [attempt.result for attempt in result.attempts] == [Result.FAIL, Result.NOT_MEASURED]


async def test_what_was_not_measured_is_not_tried_again_by_an_agent_that_ends(run):
    """Its own error is told, not that of a walk that couldn't be."""
    result, walker = await run(replace(UNMEASURED, last=True))
    assert len(walker.walks) == 1
    assert result.error == "gone"


async def test_a_confirmation_that_passes_makes_a_flaky(run):
    """The run carries the first attempt's error, and the deciding one's artifacts."""
    result, walker = await run(FAILS, PASSES)
    assert (result.result, result.error_type, result.error) == ("flaky", "assertion", "no")
    assert result.decided_by == 1
    assert result.attempts[0].artifacts == ("kept/1/screenshot.png",)
    assert [(n, r, list(e)) for n, r, e in walker.kept] == [
        (1, Result.FAIL, ["screenshot.png"]),
        (2, Result.PASS, []),
    ]
    assert walker.kept_under == {result.started_at}, "all of a run lies together"


async def test_a_journey_may_forbid_its_confirmation(run):
    """confirm=False: the first failure is the result."""
    result, _ = await run(FAILS, PASSES, confirm=False)
    assert (result.result, len(result.attempts)) == (Result.FAIL, 1)


async def test_a_confirmation_needs_no_room(run):
    """A failure is confirmed even past the next slot; that one gives way."""
    result, _ = await run(FAILS, FAILS, takes=59.0)
    assert len(result.attempts) == 2


@pytest.mark.parametrize(("takes", "attempts"), [(34.9, 2), (35.1, 1)])
async def test_what_was_not_measured_is_tried_again_only_with_room(run, takes, attempts):
    """3 s for a launch, the timeout of 20 s and the grace of 2 s must still fit into 60 s."""
    result, _ = await run(UNMEASURED, PASSES, takes=takes)
    assert len(result.attempts) == attempts
    assert result.result is (Result.PASS if attempts == 2 else Result.NOT_MEASURED)


async def test_a_fail_that_can_not_be_confirmed_is_not_measured(run):
    """fail, then worker_lost: nobody agreed, so nobody is blamed."""
    result, _ = await run(FAILS, UNMEASURED)
    assert (result.result, result.error_type) == (Result.NOT_MEASURED, ErrorType.WORKER_LOST)
    assert result.error == "gone"


async def test_two_sites_out_of_reach_blame_nobody(clock, request_):
    """The second site that can't be reached within an interval, with none answering, is the
    agent's own network; one that answers in between clears it."""
    network = Network(())
    gone = record(report(error_type=ErrorType.NAVIGATION, error="refused", unreachable=True))
    other = replace(request_.journey, confirm=False)
    away = replace(other, site=replace(other.site, name="depot"))

    async def one(journey, told):
        asked = replace(request_, journey=journey)
        return await conduct(asked, Script(clock, [told, told]), network, clock)

    assert (await one(other, gone)).result is Result.FAIL
    dead = await one(away, gone)
    assert (dead.result, dead.error_type) == (Result.NOT_MEASURED, ErrorType.AGENT_NETWORK)
    third = replace(other, site=replace(other.site, name="blog"))
    assert (await one(third, PASSES)).result is Result.PASS
    assert (await one(away, gone)).result is Result.FAIL


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_parts_no_failures(clock, request_, step):
    """Two sites that fail one after the other are the network, whatever time it was meanwhile."""
    network = Network(())
    told = report(error_type=ErrorType.NAVIGATION, error="refused", unreachable=True)
    results = []
    for site, ended_at in (("shop", 10_000.0), ("depot", 10_000.0 + step)):
        journey = replace(request_.journey, site=replace(request_.journey.site, name=site))
        asked = replace(request_, journey=replace(journey, confirm=False))
        walker = Script(clock, [record(told, ended_at=ended_at)] * 2)
        results.append(await conduct(asked, walker, network, clock))
    assert [run.error_type for run in results] == [ErrorType.NAVIGATION, ErrorType.AGENT_NETWORK]


def test_an_interrupted_run_blames_the_agent(request_):
    """worker_lost, without attempts, from its start to now."""
    run = interrupted(request_, 990.0, 1000.0, "the agent died under the run")
    assert (run.result, run.error_type) == (Result.NOT_MEASURED, ErrorType.WORKER_LOST)
    assert (run.started_at, run.ended_at, run.duration) == (990.0, 1000.0, 10.0)
    assert run.attempts == ()
    assert run.artifacts == ()
    assert run.error == "the agent died under the run"


HEAVY = [
    record(death=ErrorType.OUT_OF_MEMORY, detail="1,025 MiB", recorded=True),
    record(death=ErrorType.WORKER_KILLED, detail="no answer", recorded=True),
    record(report(error_type=ErrorType.ASSERTION, canary="slow"), recorded=True),
    record(report(error_type=ErrorType.TIMEOUT, lag=9.0), recorded=True),
]


@pytest.mark.parametrize("heavy", HEAVY)
@pytest.mark.parametrize(("plain", "result"), [(FAILS, "fail"), (PASSES, "flaky")])
async def test_recording_does_not_cost_the_verdict(run, heavy, plain, result):
    """A confirming attempt that couldn't be measured while it was recorded is made without."""
    came, walker = await run(FAILS, heavy, plain)
    assert (came.result, len(came.attempts)) == (result, 2)
    assert [number for number, _, _ in walker.walks] == [1, 2, 2]
    assert {avoid for _, _, avoid in walker.walks[1:]} == {10}
    assert walker.may_record == [True, True, False]
    assert came.attempts[1].span_id == walker.walks[2][1]


@pytest.mark.parametrize("heavy", HEAVY)
async def test_it_is_made_without_the_recorder_once(run, heavy):
    """What can't be measured then either is not measured."""
    came, walker = await run(FAILS, heavy, replace(heavy, recorded=False))
    assert (came.result, len(walker.walks)) == (Result.NOT_MEASURED, 3)


@pytest.mark.parametrize(
    "second",
    [UNMEASURED, replace(UNMEASURED, recorded=True), replace(HEAVY[0], recorded=False)],
)
async def test_nothing_else_is_made_a_third_time(run, second):
    """Without a recorder, or where the worker was lost, there is nothing that could give way."""
    came, walker = await run(FAILS, second)
    assert (came.result, len(walker.walks)) == (Result.NOT_MEASURED, 2)


async def test_a_first_attempt_that_recording_cost_is_tried_again_without(run):
    """With trace = "all", or without a confirmation, the first one is recorded too."""
    came, walker = await run(HEAVY[0], PASSES)
    assert (came.result, walker.may_record) == (Result.PASS, [True, False])


@pytest.mark.parametrize("step", [-3600.0, 86_400.0])
async def test_a_clock_that_is_set_under_a_run_changes_no_duration(request_, clock, step):
    """It ended as long after its start as it took."""
    script = Script(clock, [UNMEASURED, UNMEASURED])
    walk = script.walk

    async def stepping(request, order):
        clock.step(step)
        return await walk(request, order)

    script.walk = stepping
    run = await conduct(request_, script, Network(()), clock)
    assert run.started_at == 1000.0
    assert run.ended_at - run.started_at == 8.0


@pytest.mark.parametrize("first", [FAILS, UNMEASURED])
async def test_who_wants_one_attempt_gets_one(clock, request_, first):
    """Where none may follow, neither a failure nor what was not measured is walked again."""
    walker = Script(clock, [first])
    result = await conduct(replace(request_, again=False), walker, Network(()), clock)
    assert (len(result.attempts), len(walker.walks)) == (1, 1)
