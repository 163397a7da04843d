"""Whose trouble an attempt was, by the published table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import ErrorType, Owner
from agent.core.results import Result, SpanData, Step, StepOutcome, Vital
from agent.runs.blame import blame, judged
from tests.unit.runs.conftest import TIMEOUT, record, report

TARGETS = ("assertion", "timeout", "navigation", "http_status", "page_crash")
AGENTS = (
    "script_error", "browser_launch", "browser_crash", "worker_lost", "worker_killed",
    "out_of_memory", "canary", "agent_network", "agent_overload", "challenged",
    "stopped",
)  # fmt: skip


def test_the_table_has_an_owner_for_every_word():
    """The five words of the table that blame the target are its own; all others are the agent's."""
    assert {e.value for e in ErrorType if e.owner is Owner.TARGET} == set(TARGETS)
    assert {e.value for e in ErrorType if e.owner is Owner.AGENT} == set(AGENTS)


def test_a_walk_that_reached_its_end_passes():
    """No error, no blame."""
    verdict = blame(record(report()), TIMEOUT, network_down=False)
    assert (verdict.result, verdict.error_type) == (Result.PASS, None)


def slowed(where, waited, **of_report):
    """An attempt that the agent held up: its loop, its tagger, or its whole machine."""
    if where == "cpu_wait":
        return record(report(**of_report), cpu_wait=waited)
    return record(report(**of_report, **{where: waited}))


@pytest.mark.parametrize("where", ["lag", "tagger_wait", "cpu_wait"])
@pytest.mark.parametrize(("waited", "held_up"), [(1.9, False), (2.1, True)])
def test_a_pass_that_the_agent_held_up_is_known(where, waited, held_up):
    """Above a tenth of the timeout its own slowness is told, and it passes all the same."""
    told = slowed(where, waited)
    verdict = blame(told, TIMEOUT, network_down=False)
    assert (verdict.result, verdict.held_up) == (Result.PASS, held_up)
    assert judged(1, "0b" * 8, told, verdict).held_up is held_up


@pytest.mark.parametrize("word", TARGETS)
def test_the_targets_errors_fail(word):
    """With nothing to excuse it, each of the target's errors fails under its own word."""
    told = report(error_type=ErrorType(word), error="why")
    verdict = blame(record(told), TIMEOUT, network_down=False)
    assert (verdict.result, verdict.error_type, verdict.error) == (Result.FAIL, word, "why")


@pytest.mark.parametrize("word", AGENTS)
def test_the_agents_errors_are_not_measured(word):
    """Each of the agent's own errors is not_measured, reported or told by the worker's end."""
    told = report(error_type=ErrorType(word), error="why")
    for one in (record(told), record(death=ErrorType(word), detail="why")):
        verdict = blame(one, TIMEOUT, network_down=False)
        assert (verdict.result, verdict.error_type) == (Result.NOT_MEASURED, word)
        assert verdict.error == "why"


def test_a_worker_that_vanished_without_a_word_is_lost():
    """Neither a report nor a known end: worker_lost."""
    verdict = blame(record(), TIMEOUT, network_down=False)
    assert (verdict.result, verdict.error_type) == (Result.NOT_MEASURED, ErrorType.WORKER_LOST)


@pytest.mark.parametrize("word", TARGETS)
@pytest.mark.parametrize("why", ["net::ERR_FAILED", ""])
def test_a_failing_canary_excuses_the_target(word, why):
    """Where the agent's own page can't be loaded either, nobody blames the target, not even
    where the canary has no words for it; the message tells both."""
    told = report(error_type=ErrorType(word), error="no button", canary=why)
    verdict = blame(record(told), TIMEOUT, network_down=False)
    assert (verdict.result, verdict.error_type) == (Result.NOT_MEASURED, ErrorType.CANARY)
    assert why in verdict.error
    assert "no button" in verdict.error


def test_a_dead_network_excuses_only_what_it_explains():
    """Unreachable and the network down is agent_network; a failed assertion stays a fail, and so
    does an unreachable target on a network that works."""
    gone = report(error_type=ErrorType.NAVIGATION, error="refused", unreachable=True)
    verdict = blame(record(gone), TIMEOUT, network_down=True)
    assert (verdict.result, verdict.error_type) == (Result.NOT_MEASURED, ErrorType.AGENT_NETWORK)
    assert "refused" in verdict.error
    assert blame(record(gone), TIMEOUT, network_down=False).result is Result.FAIL
    wrong = report(error_type=ErrorType.ASSERTION, error="no")
    assert blame(record(wrong), TIMEOUT, network_down=True).result is Result.FAIL


@pytest.mark.parametrize(
    ("timeout", "waited", "overloaded"),
    [(5.0, 1.0, False), (5.0, 1.001, True), (20.0, 2.0, False), (20.0, 2.001, True)],
)
@pytest.mark.parametrize("where", ["lag", "tagger_wait", "cpu_wait"])
def test_the_agents_own_slowness_excuses_a_timeout(timeout, waited, overloaded, where):
    """Above max(1 s, 10 % of the timeout), of the loop, the tagger or the machine, a timeout is
    agent_overload; at the bound it is still the target's."""
    told = slowed(where, waited, error_type=ErrorType.TIMEOUT, error="slow")
    verdict = blame(told, timeout, network_down=False)
    expected = (
        (Result.NOT_MEASURED, ErrorType.AGENT_OVERLOAD)
        if overloaded
        else (Result.FAIL, ErrorType.TIMEOUT)
    )
    assert (verdict.result, verdict.error_type) == expected


@pytest.mark.parametrize(
    ("awaited", "result"),
    [(0.0, Result.NOT_MEASURED), (8.0, Result.NOT_MEASURED), (8.1, Result.FAIL)],
)
def test_a_busy_machine_excuses_no_answer_that_never_came(awaited, result):
    """Of 20 s a walk waited 6 s for a processor: an answer that the site has owed for more than
    2 s beyond these is the site's own trouble."""
    told = report(error_type=ErrorType.TIMEOUT, error="slow", awaited=awaited)
    assert blame(record(told, cpu_wait=6.0), 20.0, network_down=False).result is result


@pytest.mark.parametrize("word", [word for word in TARGETS if word != "timeout"])
def test_slowness_excuses_nothing_but_a_timeout(word):
    """A wrong text is wrong however slow the agent was."""
    told = report(error_type=ErrorType(word), tagger_wait=9.0)
    assert blame(record(told, cpu_wait=9.0), TIMEOUT, network_down=False).result is Result.FAIL


@pytest.mark.parametrize("word", [None, *TARGETS])
def test_a_journey_that_blocks_the_loop_is_a_script_error(word):
    """Whatever the walk came to, pass included; the message names the line and the time."""
    told = report(
        error_type=ErrorType(word) if word else None, lag=2.1, blocked_at="journeys/shop.py:12"
    )
    verdict = blame(record(told), TIMEOUT, network_down=False)
    assert (verdict.result, verdict.error_type) == (Result.NOT_MEASURED, ErrorType.SCRIPT_ERROR)
    assert "journeys/shop.py:12" in verdict.error
    assert "2.1 s" in verdict.error


def test_a_short_block_is_forgiven():
    """Below the bound a blocked loop changes nothing."""
    told = report(lag=0.9, blocked_at="journeys/shop.py:12")
    assert blame(record(told), TIMEOUT, network_down=False).result is Result.PASS


def test_a_journey_that_blocks_until_it_is_killed_is_a_script_error():
    """The killed worker left no report, but the line that blocked is known; a worker that died
    by itself is lost, whatever had blocked before."""
    killed = record(death=ErrorType.WORKER_KILLED, blocked_at="journeys/shop.py:12")
    verdict = blame(killed, TIMEOUT, network_down=False)
    assert (verdict.result, verdict.error_type) == (Result.NOT_MEASURED, ErrorType.SCRIPT_ERROR)
    assert "journeys/shop.py:12" in verdict.error
    lost = record(death=ErrorType.WORKER_LOST, blocked_at="journeys/shop.py:12")
    assert blame(lost, TIMEOUT, network_down=False).error_type is ErrorType.WORKER_LOST


reports = st.builds(
    report,
    error_type=st.none() | st.sampled_from(ErrorType),
    error=st.text(max_size=20),
    unreachable=st.booleans(),
    canary=st.none() | st.text(max_size=20),
    lag=st.floats(0, 100),
    tagger_wait=st.floats(0, 100),
    blocked_at=st.sampled_from(["", "journeys/shop.py:12"]),
)
records = st.builds(
    record,
    st.none() | reports,
    death=st.none() | st.sampled_from([e for e in ErrorType if e.owner is Owner.AGENT]),
    blocked_at=st.sampled_from(["", "journeys/shop.py:12"]),
)


@given(records, st.floats(0.5, 300), st.booleans())
def test_no_trouble_of_the_agents_is_ever_a_fail(one, timeout, down):
    """Whatever was seen: a fail has a target's word and a report of it, a pass has no word, and
    what is not measured has one of the agent's words."""
    verdict = blame(one, timeout, network_down=down)
    told = one.report
    if verdict.result is Result.FAIL:
        assert verdict.error_type.owner is Owner.TARGET
        assert told.error_type is verdict.error_type
        assert told.canary is None
        assert not (down and told.unreachable)
    elif verdict.result is Result.PASS:
        assert verdict.error_type is None
        assert told is not None
        assert told.error_type is None
    else:
        assert verdict.result is Result.NOT_MEASURED
        assert verdict.error_type.owner is Owner.AGENT


def test_a_judged_attempt_carries_all_that_was_seen():
    """Steps and spans come from the record, the rest from the report; a killed attempt keeps
    its own and the time it took."""
    step = Step("Open", StepOutcome.PASS, 0.4)
    span = SpanData("step Open", "0a" * 16, "0c" * 8, "0b" * 8, 1, 2)
    vital = Vital("lcp", 1.1)
    told = report(requests={"first ok": 2}, vitals=(vital,))
    whole = record(told, steps=(step,), spans=(span,))
    attempt = judged(1, "0b" * 8, whole, blame(whole, TIMEOUT, network_down=False))
    assert (attempt.number, attempt.span_id) == (1, "0b" * 8)
    assert (attempt.started_at, attempt.duration) == (100.0, 3.0)
    assert (attempt.steps, attempt.spans, attempt.vitals) == ((step,), (span,), (vital,))
    assert attempt.requests == {"first ok": 2}
    killed = record(death=ErrorType.WORKER_KILLED, steps=(step,), spans=(span,))
    attempt = judged(2, "0d" * 8, killed, blame(killed, TIMEOUT, network_down=False))
    assert (attempt.started_at, attempt.duration) == (99.5, 4.5)
    assert (attempt.steps, attempt.spans) == ((step,), (span,))
