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
from agent.core.limits import (
    MESSAGE_LENGTH,
    MOST_ATTRIBUTES,
    MOST_SPANS,
    MOST_STEPS,
    MOST_VITALS,
    NAME_LENGTH,
)
from agent.core.results import AttemptReport
from agent.pool import process
from agent.protocol.framing import LONGEST_REPORT
from agent.protocol.messages import (
    FROM_WORKER,
    FromWorker,
    OutcomeKnown,
    SecretReply,
    SecretWanted,
    Walked,
)
from tests.support.fuzz import effort
from tests.support.piped import framed, piped, said
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
    st.sampled_from(NONSENSE).map(framed),
    st.binary(min_size=1, max_size=40).map(framed),
    st.integers(LONGEST_REPORT + 1, 2**32 - 1).map(lambda length: length.to_bytes(4, "big")),
    st.just(b"GET / HTTP/1.1\r\n\r\n" * 100),
)


def what_was_said(talked: list[FromWorker]) -> AttemptReport | None:
    """The report that stands: the first outcome, with what the end tells besides after it."""
    outcome = None
    for message in talked:
        if isinstance(message, OutcomeKnown) and outcome is None:
            outcome = message.report
        elif isinstance(message, Walked):
            last = message.report
            end = {"evidence": last.evidence, "audit": last.audit, "near": last.near}
            return replace(outcome or last, **end)
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
        await pipe.say(framed(json.dumps(word).encode()))
        await pipe.say(said(Walked(AttemptReport(1.0, 2.0))))
        record = await pipe.end()
    assert record.report is not None


FLOODS = [
    {"kind": "step_started", "name": "s" * 400, "depth": 0},
    {"kind": "step_ended", "step": {"name": "s" * 400, "result": "pass"}, "depth": 0},
    json.loads(span()),
    {"kind": "blocked", "seconds": 1, "where": "b.py:3", "in_journey": True},
    {**json.loads(report()), "kind": "outcome"},
    {"kind": "log", "level": "info", "event": "e" * 1000, "fields": {}},
]


@pytest.mark.parametrize("word", FLOODS, ids=lambda word: word["kind"])
async def test_a_flood_is_cut_off(folder, monkeypatch, word):
    """A worker that goes on and on ends its walk before it fills the agent's memory."""
    monkeypatch.setattr(process, "_MOST_HEARD", 1 << 20)
    one = framed(json.dumps(word).encode())
    async with piped(folder) as pipe:
        flood = asyncio.create_task(pipe.say(one * ((4 << 20) // len(one))))
        async with asyncio.timeout(30):
            record = await pipe.walk
        assert not flood.done()
        flood.cancel()
    assert record.death is ErrorType.WORKER_LOST
    assert "MiB" in record.detail
    assert len(record.steps) <= MOST_STEPS
    assert len(record.spans) <= MOST_SPANS
    assert all(len(step.name) <= NAME_LENGTH for step in record.steps)


@pytest.mark.parametrize("word", ["secret_wanted", "signature_wanted"])
async def test_questions_without_end(folder, word):
    """Each answer costs the agent, so there is a bound on them too."""
    asks = {"secret_wanted": {"name": "PW"}, "signature_wanted": {"authority": "shop.test"}}
    one = framed(json.dumps({"kind": word, **asks[word]}).encode())
    asked = []

    def secret(name):
        asked.append(name)
        return "hush"

    async with piped(folder, secret) as pipe:
        flood = asyncio.create_task(pipe.say(one * 15_000))
        async with asyncio.timeout(30):
            while not pipe.walk.done():
                # Read as it may, it gets no more than so many.
                reading = asyncio.create_task(pipe.hear())
                await asyncio.wait({reading, pipe.walk}, return_when=asyncio.FIRST_COMPLETED)
                reading.cancel()
        flood.cancel()
        record = await pipe.walk
    assert (record.report, record.death) == (None, ErrorType.WORKER_LOST)
    assert "questions" in record.detail
    assert len(asked) <= 1_000


async def test_answers_that_nobody_reads(folder):
    """They wait in bounds: a worker that asks and never reads is broken off."""
    one = framed(json.dumps({"kind": "secret_wanted", "name": "PW"}).encode())
    async with piped(folder, lambda _: "x" * 20_000) as pipe:
        flood = asyncio.create_task(pipe.say(one * 15_000))
        async with asyncio.timeout(30):
            record = await pipe.walk
        waiting = pipe.worker._writer.transport.get_write_buffer_size()
        flood.cancel()
    assert "does not read" in record.detail
    assert waiting < 2 << 20


@pytest.mark.parametrize("length", [64 * 1024 + 1, 50_000_000])
async def test_a_secret_beyond_all_bounds_is_refused(folder, length):
    """By its name, and the walk goes on."""
    async with piped(folder, lambda _: "x" * length) as pipe:
        await pipe.say(said(SecretWanted("PW")))
        while not isinstance(answer := await pipe.hear(), SecretReply):
            pass
        assert answer == SecretReply("PW", None, "secret PW: more than 65536 characters")
        await pipe.say(said(Walked(AttemptReport(1.0, 2.0))))
        assert (await pipe.end()).death is None


ELSEWHERE = ["../../x", "/etc/passwd", "", ".", "screenshot.png/../x", "notes.txt", "trace.zip\n"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_evidence_has_known_names_only(name):
    """Whatever else is named is no evidence, and nothing of that name is ever moved."""
    with pytest.raises(ValidationError):
        FROM_WORKER.validate_json(report(evidence=json.dumps([name])))


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "Buy", "buy\n", "a" + chr(0)])
def test_a_journey_is_named_like_one(name):
    """Its name becomes that of a folder."""
    told = {"file": "b.py", "problems": []}
    one = {"name": name, "site": "shop", "file": "b.py", "line": 1}
    body = json.dumps({"kind": "file_loaded", **told, "definitions": [one]}).encode()
    with pytest.raises(ValidationError):
        FROM_WORKER.validate_json(body)
    FROM_WORKER.validate_json(body.replace(json.dumps(name).encode(), b'"buy"'))


def test_what_is_discovered_is_cut_and_shown():
    """What an author declares goes onto spans and into rules; what is wrong, onto terminals."""
    long = "\x1b[2J" + "x" * 100_000
    texts = dict.fromkeys(("summary", "owner", "runbook", "severity"), long)
    one = {"name": "buy", "site": "shop", "file": "b.py", "line": 1, **texts}
    problem = {"where": long, "message": long}
    told = {"kind": "file_loaded", "file": "b.py", "definitions": [one], "problems": [problem]}
    loaded = FROM_WORKER.validate_json(json.dumps(told))
    definition, wrong = loaded.definitions[0], loaded.problems[0]
    for text in (definition.summary, definition.runbook, wrong.where, wrong.message):
        assert (len(text), text[:7]) == (MESSAGE_LENGTH, "\\x1b[2J")
    for text in (definition.owner, definition.severity):
        assert (len(text), text[:7]) == (NAME_LENGTH, "\\x1b[2J")


def test_texts_are_cut_and_shown():
    """Whatever a worker says is within the bounds, and steers no terminal."""
    long = "\x1b[2J" + "x" * 100_000
    read = FROM_WORKER.validate_json
    told = [
        read(report(error=json.dumps(long))).report.error,
        read(report(canary=json.dumps(long))).report.canary,
        read(span(message=json.dumps(long))).span.message,
        read(span(attributes=json.dumps({"a": long}))).span.attributes["a"],
        read(span(attributes=json.dumps({"a": [long]}))).span.attributes["a"][0],
        read(written({}, kind="log", level="info", event=long, fields={})).event,
    ]
    assert {(len(text), text[:7]) for text in told} == {(MESSAGE_LENGTH, "\\x1b[2J")}
    named = [
        read(written({}, kind="step_started", name=long, depth=0)).name,
        read(written({}, kind="blocked", seconds=1, where=long, in_journey=True)).where,
        next(iter(read(span(attributes=json.dumps({long: 1}))).span.attributes)),
    ]
    assert {(len(text), text[:7]) for text in named} == {(NAME_LENGTH, "\\x1b[2J")}


def test_tables_are_cut():
    """The first entries of those that are long are kept."""
    many = json.dumps({f"k{i}": i for i in range(1000)})
    links = json.dumps([["0a" * 16, "0b" * 8]] * 1000)
    vitals = json.dumps([{"vital": "lcp", "value": 1}] * 2000)
    read = FROM_WORKER.validate_json
    assert len(read(span(attributes=many)).span.attributes) == MOST_ATTRIBUTES
    assert len(read(span(links=links)).span.links) == MOST_ATTRIBUTES
    assert len(read(report(vitals=vitals)).report.vitals) == MOST_VITALS
    assert len(read(written({"fields": many}, kind="log", level="i", event="e")).fields) == (
        MOST_ATTRIBUTES
    )


@pytest.mark.parametrize(
    "body",
    [
        report(requests='{"no such kind": 1}'),
        report(vitals='[{"vital": "x", "value": 1}]'),
        written({}, kind="step_started", name="s", depth=-1),
        written({}, kind="secret_wanted", name="x" * 1000),
        written({}, kind="signature_wanted", authority="x" * 10_000),
        written({}, kind="log", level="x" * 1000, event="e", fields={}),
    ],
    ids=lambda body: body.decode()[:60],
)
def test_what_means_nothing_when_cut_is_refused(body):
    """Kinds, names of secrets, authorities: series and answers go by them."""
    with pytest.raises(ValidationError):
        FROM_WORKER.validate_json(body)
