"""Whatever comes out of a worker's pipe: the walk ends, in bounded time and memory, and is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core.errors import ErrorType
from agent.core.results import AttemptReport
from agent.protocol.framing import LONGEST_FRAME, frame
from agent.protocol.messages import (
    FROM_WORKER,
    FromWorker,
    OutcomeKnown,
    Walked,
)
from tests.support.fuzz import effort
from tests.support.piped import piped, said
from tests.unit.protocol.test_messages import any_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("talk")


messages = st.one_of(*(any_of(kind) for kind in get_args(FromWorker)))
talk = st.lists(messages, max_size=6)
NONSENSE = [
    b"",
    b"null",
    b"{}",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"kind": ' * 10_000,
    b'{"kind": "walked", "report": {"started_at": 1, "duration": 1, "error": "\\ud800"}}',
    b'{"kind": "idle", "fit": "perhaps"}',
]
nonsense = st.one_of(
    st.sampled_from(NONSENSE).map(frame),
    st.binary(min_size=1, max_size=40).map(frame),
    st.integers(LONGEST_FRAME + 1, 2**32 - 1).map(lambda length: length.to_bytes(4, "big")),
    st.just(b"GET / HTTP/1.1\r\n\r\n" * 100),
)


def what_was_said(talked: list[FromWorker]) -> AttemptReport | None:
    """The report that stands: the first outcome, with the evidence of the end after it."""
    outcome = None
    for message in talked:
        if isinstance(message, OutcomeKnown) and outcome is None:
            outcome = message.report
        elif isinstance(message, Walked):
            last = message.report
            return replace(outcome or last, evidence=last.evidence, audit=last.audit)
    return outcome


@effort(40)
@given(talk, nonsense, talk, st.integers(0, 2**16))
async def test_nonsense_ends_the_walk_there(folder, before, bad, after, cut):
    """What came before it counts, what comes after it doesn't, and the agent bears the blame."""
    data = b"".join(map(said, before)) + bad + b"".join(map(said, after))
    pieces = [data[: cut % len(data)], data[cut % len(data) :]]
    async with piped(folder) as pipe:
        for piece in pieces:
            await pipe.say(piece)
            await asyncio.sleep(0)
        record = await pipe.end()
    assert record.report == what_was_said(before)
    if any(isinstance(message, Walked) for message in before):
        assert record.death is None
    else:
        assert record.death is ErrorType.WORKER_LOST
        assert record.detail


@effort(40)
@given(talk, messages, st.integers(0, 10**6))
async def test_a_pipe_that_is_cut_ends_the_walk(folder, before, last, cut):
    """A message that is there in part only never was."""
    half = said(last)[: cut % len(said(last))]
    async with piped(folder) as pipe:
        await pipe.say(b"".join(map(said, before)) + half)
        record = await pipe.end()
    assert record.report == what_was_said(before)
    assert (record.death is None) == any(isinstance(message, Walked) for message in before)


@effort(60)
@given(st.data(), talk)
async def test_bytes_that_were_changed_harm_nobody(folder, data, talked):
    """Whatever a byte becomes, the walk ends and nothing is raised in the agent's loop."""
    stream = bytearray(b"".join(map(said, talked)))
    for _ in range(data.draw(st.integers(1, 4)) if stream else 0):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    async with piped(folder) as pipe:
        await pipe.say(bytes(stream))
        record = await pipe.end()
    assert record.report is not None or record.death is ErrorType.WORKER_LOST


def written(changes: dict[str, str], **plain: Any) -> bytes:
    """JSON in which some of the values stand as they are given."""
    values = {name: json.dumps(value) for name, value in plain.items()} | changes
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}").encode()


def report(**changes: str) -> bytes:
    told = written(changes, started_at=1.0, duration=2.0).decode()
    return written({"report": told}, kind="walked")


def span(**changes: str) -> bytes:
    ids = {"trace_id": "0a" * 16, "span_id": "0b" * 8, "parent_id": None}
    told = written(changes, name="s", start_ns=1, end_ns=2, **ids).decode()
    return written({"span": told}, kind="span")


def step(duration: str) -> bytes:
    told = written({"duration": duration}, name="s", result="pass").decode()
    return written({"step": told}, kind="step_ended", depth=0)


NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e300", "-1", "1" * 400]


@pytest.mark.parametrize(
    "body",
    [
        *(report(**{name: number}) for name in ("started_at", "duration") for number in NO_NUMBERS),
        *(report(lag=number) for number in NO_NUMBERS),
        *(report(tagger_wait=number) for number in NO_NUMBERS),
        *(report(requests=f'{{"first ok": {number}}}') for number in NO_NUMBERS),
        *(report(vitals=f'[{{"vital": "lcp", "value": {number}}}]') for number in NO_NUMBERS),
        *(step(number) for number in NO_NUMBERS),
        *(span(start_ns=number) for number in NO_NUMBERS),
        *(span(end_ns=number) for number in NO_NUMBERS),
        *(span(**{name: '"zz"'}) for name in ("trace_id", "span_id", "parent_id")),
        *(span(**{name: '"loud"'}) for name in ("kind", "status")),
        span(links='[["x", "y"]]'),
    ],
    ids=lambda body: body.decode()[:150],
)
def test_what_can_not_be_counted_stored_or_sent_is_nonsense(body):
    """Numbers that are none or out of all bounds, and ids that are none."""
    with pytest.raises(ValidationError):
        FROM_WORKER.validate_json(body)


def test_what_can_is_not():
    """The messages above are wrong in that one thing."""
    for body in (report(), step("1.0"), span()):
        assert FROM_WORKER.validate_json(body)


WORDS = [
    {"kind": "log", "level": level, "event": "e", "fields": fields}
    for level in ("info", "bind", "_context", "exception", "aerror", "", "__class__")
    for fields in ({}, {"self": 1, "exc_info": True, "stack_info": True, "event": 2, "": None})
]


@pytest.mark.parametrize("word", WORDS, ids=json.dumps)
async def test_what_is_logged_harms_nobody(folder, word):
    """Any level and any field is a line in the log, under a level that there is."""
    async with piped(folder) as pipe:
        await pipe.say(frame(json.dumps(word).encode()))
        await pipe.say(said(Walked(AttemptReport(1.0, 2.0))))
        record = await pipe.end()
    assert record.report is not None


FLOODS = [
    {"kind": "step_started", "name": "s" * 400, "depth": 0},
    {"kind": "step_ended", "step": {"name": "s" * 400, "result": "pass"}, "depth": 0},
    {"kind": "secret_wanted", "name": "PW" * 200},
    {"kind": "log", "level": "info", "event": "e" * 1000, "fields": {}},
]


@pytest.mark.parametrize("word", FLOODS, ids=lambda word: word["kind"])
async def test_a_flood_is_cut_off(folder, word):
    """A worker that goes on and on ends its walk before it fills the agent's memory."""
    one = frame(json.dumps(word).encode())
    async with piped(folder) as pipe:
        flood = asyncio.create_task(pipe.say(one * (2 * LONGEST_FRAME // len(one))))
        async with asyncio.timeout(30):
            record = await pipe.walk
        assert not flood.done()
        flood.cancel()
    assert (record.report, record.death) == (None, ErrorType.WORKER_LOST)
    assert "MiB" in record.detail
