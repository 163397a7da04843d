"""Any sequence of attempts, by the two tables of the design, written down once more."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import ErrorType, Owner
from agent.core.results import AttemptRecord, AttemptReport, Result
from agent.runs.conduct import conduct
from agent.runs.network import Network
from tests.support.clock import ManualClock
from tests.support.fuzz import effort
from tests.unit.runs.conftest import TIMEOUT
from tests.unit.runs.test_conduct import Script

P, F, N = Result.PASS, Result.FAIL, Result.NOT_MEASURED

WHOSE = {
    "assertion": "target",
    "timeout": "target",
    "navigation": "target",
    "http_status": "target",
    "page_crash": "target",
    "script_error": "agent",
    "browser_launch": "agent",
    "browser_crash": "agent",
    "worker_lost": "agent",
    "worker_killed": "agent",
    "out_of_memory": "agent",
    "canary": "agent",
    "agent_network": "agent",
    "agent_overload": "agent",
    "challenged": "agent",
    "stopped": "agent",
}

# attempt 1, attempt 2: result, whose error (1 or 2), which decided
RUNS = {
    (P, None): ("pass", None, 1),
    (F, P): ("flaky", 1, 2),
    (F, F): ("fail", 1, 2),
    (F, None): ("fail", 1, 1),
    (F, N): ("not_measured", 2, 2),
    (N, P): ("pass", None, 2),
    (N, F): ("fail", 2, 2),
    (N, N): ("not_measured", 2, 2),
    (N, None): ("not_measured", 1, 1),
}

moments = st.floats(0, 40)
requests = st.dictionaries(
    st.sampled_from(["first ok", "first http_error", "first failed", "third ok"]),
    st.integers(1, 5),
    max_size=2,
)
reports = st.builds(
    AttemptReport,
    started_at=st.floats(1, 2e9),
    duration=moments,
    error_type=st.none() | st.sampled_from(ErrorType),
    error=st.sampled_from(["", "no", "net::ERR_NAME_NOT_RESOLVED"]),
    unreachable=st.booleans(),
    canary=st.none() | st.sampled_from(["", "it did not load"]),
    lag=st.sampled_from([0.0, 0.5, 2.0, 2.1, 30.0]),
    tagger_wait=st.sampled_from([0.0, 2.0, 2.1, 30.0]),
    blocked_at=st.sampled_from(["", "b.py:3"]),
    requests=requests,
)
deaths = st.none() | st.sampled_from([kind for kind in ErrorType if WHOSE[kind] == "agent"])
plain = st.builds(
    AttemptReport,
    started_at=st.just(100.0),
    duration=moments,
    error_type=st.none() | st.sampled_from([k for k in ErrorType if WHOSE[k] == "target"]),
    error=st.sampled_from(["no", "nor this"]),
)
"""Reports with nothing in them that excuses the target."""
records = st.one_of(
    st.builds(AttemptRecord, st.just(1), moments, moments, report=plain),
    st.builds(
        AttemptRecord,
        st.just(1),
        moments,
        moments,
        report=reports,
        cpu_wait=st.sampled_from([0.0, 2.0, 2.1, 30.0]),
    ),
    st.builds(
        AttemptRecord,
        st.just(1),
        moments,
        moments,
        death=deaths,
        blocked_at=st.sampled_from(["", "b.py:3"]),
    ),
)


def test_whose_an_error_is():
    """Each value of error.type belongs to whom the table says, and there are no others."""
    assert {kind.value: kind.owner.value for kind in ErrorType} == WHOSE


@effort(250)
@given(
    st.tuples(records, records),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 4.0, 34.9, 35.1, 300.0]),
    st.booleans(),
)
async def test_any_run_by_the_tables(request_, made, confirm, scheduled, takes, last):
    """Result, error and duration are those of the table; the agent's trouble is no failure."""
    made = [replace(made[0], last=last), made[1]]
    if made[1].report:
        again = replace(made[1].report, error=f"{made[1].report.error}, again")
        made[1] = replace(made[1], report=again)
    journey = replace(request_.journey, confirm=confirm)
    at = 99.0 if scheduled else None
    clock = ManualClock(1000.0)
    walker = Script(clock, made, takes)
    run = await conduct(
        replace(request_, journey=journey, scheduled_at=at), walker, Network(()), clock
    )

    attempts = run.attempts
    for attempt, record in zip(attempts, made, strict=False):
        check_attempt(attempt, record)
    first = attempts[0].result
    room = takes + 3 + TIMEOUT + 2 <= journey.interval
    wanted = {P: False, F: confirm, N: room and not last}[first]
    assert len(attempts) == (2 if wanted else 1)
    assert [(number, avoid) for number, _, avoid in walker.walks] == [(1, None), (2, 10)][
        : len(attempts)
    ]
    result, blamed, decided = RUNS[first, attempts[1].result if len(attempts) > 1 else None]
    assert run.result == result
    assert run.decided_by == decided - 1
    told = (attempts[blamed - 1].error_type, attempts[blamed - 1].error) if blamed else (None, "")
    assert (run.error_type, run.error) == told
    assert run.duration == attempts[decided - 1].duration
    assert (run.error_type is None) == (run.result is P)


def check_attempt(attempt, record):
    """What an attempt may come to, from what was seen of it."""
    report = record.report
    blocked = report is not None and report.blocked_at and report.lag > 2
    if report is None or blocked:
        assert attempt.result is N
    elif report.error_type is None:
        assert attempt.result is P
    elif (
        WHOSE[report.error_type] == "agent"
        or report.canary is not None
        or (
            report.error_type is ErrorType.TIMEOUT
            and max(report.lag, report.tagger_wait, record.cpu_wait) > 2
        )
    ):
        assert attempt.result is N
    else:  # one site alone out of reach is that site's own trouble
        assert (attempt.result, attempt.error_type) == (F, report.error_type)
    if attempt.result is F:
        assert attempt.error_type.owner is Owner.TARGET
    elif attempt.result is N:
        assert attempt.error_type.owner is Owner.AGENT
    else:
        assert attempt.result is P
        assert attempt.error_type is None
        assert report is not None
