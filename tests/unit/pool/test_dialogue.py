"""One walk as the supervisor hears it: an outcome that was told stands, whatever comes after."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.core.errors import ErrorType
from agent.core.results import AttemptReport, Result
from agent.pool import dialogue
from agent.protocol.messages import Discover, GiveWay, OutcomeKnown, Started, Walked
from agent.runs.blame import blame
from tests.support.piped import JOURNEY, ORDER, piped, said

FAIL = AttemptReport(1.0, 2.0, ErrorType.ASSERTION, "no mug")
PASS = AttemptReport(1.0, 2.0)
CRASH = AttemptReport(1.0, 2.0, ErrorType.PAGE_CRASH, "the page crashed")


def judged(record):
    """What the attempt came to."""
    verdict = blame(record, JOURNEY.timeout, network_down=False)
    return verdict.result, verdict.error_type


@pytest.mark.parametrize("report", [FAIL, PASS])
async def test_an_outcome_outlives_its_worker(tmp_path, report):
    """A worker that dies while it saves the evidence costs the evidence, never the verdict."""
    async with piped(tmp_path) as pipe:
        await pipe.say(said(Started()) + said(OutcomeKnown(report)))
        record = await pipe.end()
    assert (record.report, record.death) == (report, ErrorType.WORKER_LOST)
    result = Result.FAIL if report.error_type else Result.PASS
    assert judged(record) == (result, report.error_type)


@pytest.mark.parametrize("death", [ErrorType.OUT_OF_MEMORY, ErrorType.WORKER_KILLED])
async def test_an_outcome_outlives_a_kill(tmp_path, death):
    """Memory or grace that runs out under the evidence is told beside the target's own error."""
    async with piped(tmp_path) as pipe:
        await pipe.say(said(Started()) + said(OutcomeKnown(FAIL)))
        await pipe.heard()
        pipe.dialogue.end(death, "1,025 MiB, 1,024 allowed")
        record = await pipe.walk
    assert (record.report, record.death) == (FAIL, death)
    verdict = blame(record, JOURNEY.timeout, network_down=False)
    assert (verdict.result, verdict.error_type) == (Result.FAIL, ErrorType.ASSERTION)
    assert verdict.error.splitlines() == [
        "no mug",
        "its evidence was lost: 1,025 MiB, 1,024 allowed",
    ]


async def test_without_an_outcome_nothing_was_measured(tmp_path):
    """The same kill before the outcome leaves nothing to stand."""
    async with piped(tmp_path) as pipe:
        await pipe.say(said(Started()))
        await pipe.heard()
        pipe.dialogue.end(ErrorType.OUT_OF_MEMORY, "too much")
        record = await pipe.walk
    assert (record.report, record.death) == (None, ErrorType.OUT_OF_MEMORY)
    assert judged(record) == (Result.NOT_MEASURED, ErrorType.OUT_OF_MEMORY)


async def test_evidence_is_added_to_the_outcome(tmp_path):
    """The last report brings the evidence; what it says of the verdict comes too late."""
    late = AttemptReport(1.0, 9.0, ErrorType.CANARY, "x", canary="slow", evidence=("trace.zip",))
    async with piped(tmp_path) as pipe:
        await pipe.say(said(OutcomeKnown(FAIL)) + said(OutcomeKnown(PASS)) + said(Walked(late)))
        record = await pipe.end()
    assert record.death is None
    assert record.report is not None
    assert record.report.evidence == ("trace.zip",)
    assert (record.report.error_type, record.report.duration) == (ErrorType.ASSERTION, 2.0)
    assert judged(record) == (Result.FAIL, ErrorType.ASSERTION)


@pytest.mark.parametrize(
    ("killed_before", "killed_after", "error_type"),
    [(0, 1, ErrorType.PAGE_CRASH), (1, 1, ErrorType.OUT_OF_MEMORY)],
)
async def test_whom_the_kernel_killed_when(
    tmp_path, monkeypatch, killed_before, killed_after, error_type
):
    """A crash is excused by a kill for memory that came before it was told, not by a later one."""
    kills = 0
    monkeypatch.setattr(dialogue, "oom_kills", lambda: kills)
    async with piped(tmp_path) as pipe:
        kills = killed_before
        await pipe.say(said(OutcomeKnown(CRASH)))
        await pipe.heard()
        kills = killed_after
        await pipe.say(said(Walked(CRASH)))
        record = await pipe.end()
    assert record.report is not None
    assert record.report.error_type is error_type


@pytest.mark.parametrize(
    ("records", "size", "told", "death"),
    [
        (True, 699, False, None),
        (True, 701, True, None),
        (True, 1001, False, ErrorType.OUT_OF_MEMORY),
        (False, 999, False, None),
        (False, 1001, False, ErrorType.OUT_OF_MEMORY),
    ],
)
async def test_the_recorder_gives_way_before_the_walk_does(
    tmp_path, monkeypatch, records, size, told, death
):
    """Near the bound it is told once to stop, however often memory is short; beyond it, the end."""
    async with piped(tmp_path, order=replace(ORDER, record_trace=records)) as pipe:
        await pipe.heard()
        monkeypatch.setattr(pipe.worker.tree, "memory", lambda _: size)
        pipe.dialogue.look(1000)
        pipe.dialogue.look(1000)
        pipe.worker.send(Discover([]))
        wanted = [GiveWay()] * told + [Discover([])]
        assert [await pipe.hear() for _ in wanted] == wanted
        record = await pipe.end()
    assert record.death is (death or ErrorType.WORKER_LOST)


async def test_a_person_ends_a_walk(tmp_path):
    """It is not measured, stopped, with the person's reason, and at once."""
    async with piped(tmp_path) as pipe:
        await pipe.say(said(Started()))
        await pipe.heard()
        pipe.stop.ask("stopped by anna: migration")
        async with asyncio.timeout(5):
            record = await pipe.walk
    assert (record.report, record.death) == (None, ErrorType.STOPPED)
    assert record.detail == "stopped by anna: migration"
    assert judged(record) == (Result.NOT_MEASURED, ErrorType.STOPPED)


async def test_a_walk_that_was_told_before_it_was_stopped_stands(tmp_path):
    """What the journey came to is not unsaid by who ends the worker under its evidence."""
    async with piped(tmp_path) as pipe:
        await pipe.say(said(Started()) + said(OutcomeKnown(PASS)))
        await pipe.heard()
        pipe.stop.ask("so")
        record = await pipe.walk
    assert judged(record) == (Result.PASS, None)
