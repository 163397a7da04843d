"""The words between supervisor and worker survive the pipe; whatever else comes is refused."""

from __future__ import annotations

import asyncio
import builtins
import io
import typing
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agent.core import certificate, limits, results
from agent.core.errors import Problem
from agent.core.printable import printable
from agent.protocol.framing import LONGEST_ORDER, ProtocolError, frame, read_frame, receive_frame
from agent.protocol.messages import (
    FROM_WORKER,
    TO_WORKER,
    FromWorker,
    ToWorker,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SHOWN = TEXT.map(printable)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
PLAIN = {
    Any: JSON,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(),
    str: TEXT,
    type(None): st.none(),
}


BOUNDED = [
    (limits.Count, st.integers(0, 2**53 - 1)),
    (limits.Nanoseconds, st.integers(0, 2**63 - 1)),
    (limits.Seconds, st.floats(0, 1e9)),
    (limits.Time, st.floats(0, 9e9)),
    (limits.TraceId, st.text("0123456789abcdef", min_size=32, max_size=32)),
    (limits.SpanId, st.text("0123456789abcdef", min_size=16, max_size=16)),
    (limits.Name, SHOWN),
    (limits.Message, SHOWN),
    (limits.Problems, st.lists(st.builds(Problem, SHOWN, SHOWN), max_size=2)),
    (limits.Integer, st.integers(-(2**63), 2**63 - 1)),
    (limits.JourneyName, st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True)),
    (results.RequestKind, st.sampled_from(["first ok", "third failed", "first http_error"])),
    (certificate.Host, st.from_regex(r"[!-~]{1,20}", fullmatch=True)),
    (certificate.Moment, st.floats(0, certificate.LAST_END)),
    (results.VitalName, st.sampled_from(["lcp", "fcp", "ttfb", "inp", "cls"])),
]


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """All values of a type, as far as the messages use types; of those with bounds, small ones."""
    if known := [values for one, values in [*PLAIN.items(), *BOUNDED] if kind is one]:
        return known[0]
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return st.builds(kind, **{name: any_of(hint) for name, hint in hints.items()})
    inside = get_args(kind)
    match get_origin(kind):
        case None:
            values = st.sampled_from(kind)
        case typing.Annotated:  # bounds that are wider than what is made here
            values = any_of(inside[0])
        case typing.Literal:
            values = st.sampled_from(inside)
        case builtins.list:
            values = st.lists(any_of(inside[0]), max_size=2)
        case builtins.dict:
            values = st.dictionaries(*map(any_of, inside), max_size=2)
        case builtins.tuple if inside[1] is ...:
            values = st.lists(any_of(inside[0]), max_size=2).map(tuple)
        case builtins.tuple:
            values = st.tuples(*map(any_of, inside))
        case _:
            values = st.one_of(*map(any_of, inside))
    return values


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize("kind", get_args(ToWorker))
def test_to_worker(kind: type[ToWorker]) -> None:
    """Each message to a worker comes out as it went in."""
    _round_trip(kind, TO_WORKER)


@pytest.mark.parametrize("kind", get_args(FromWorker))
def test_from_worker(kind: type[FromWorker]) -> None:
    """Each message from a worker comes out as it went in."""
    _round_trip(kind, FROM_WORKER)


def _round_trip(kind: type, adapter: TypeAdapter[Any]) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(any_of(kind))
    def check(message: object) -> None:
        body = read_frame(
            io.BytesIO(frame(adapter.dump_json(message), LONGEST_ORDER)).read, LONGEST_ORDER
        )
        assert body is not None
        assert adapter.validate_json(body) == message

    check()


@given(st.binary(max_size=200))
def test_frames(body: bytes) -> None:
    """A frame is read whole, however the bytes arrive, and the next one after it."""
    data = io.BytesIO(frame(body, 1000) + frame(b"next", 1000))
    slowly = lambda count: data.read(min(count, 3))  # noqa: E731
    assert read_frame(slowly, 1000) == body
    assert read_frame(slowly, 1000) == b"next"
    assert read_frame(slowly, 1000) is None


@pytest.mark.parametrize("cut", range(9))
async def test_cut_frames(cut: int) -> None:
    """A frame whose end never comes is the end of the dialogue, not an error."""
    data = frame(b"hello", 1000)[:cut]
    expected = b"hello" if cut == 9 else None
    assert read_frame(io.BytesIO(data).read, 1000) == expected
    assert await receive_frame(fed(data), 1000) == expected


async def test_oversized_frames() -> None:
    """A length beyond the bound is refused before anything is read for it, and never sent."""
    header = (1001).to_bytes(4, "big")
    with pytest.raises(ProtocolError, match="1001 bytes is too long"):
        read_frame(io.BytesIO(header).read, 1000)
    with pytest.raises(ProtocolError):
        await receive_frame(fed(header), 1000)
    with pytest.raises(ProtocolError):
        frame(bytes(1001), 1000)
    assert len(frame(bytes(1000), 1000)) == 1004


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b"\xff\xfe", b'{"kind": "unknown"}', b'{"kind": "span"}']
)
def test_garbage(body: bytes) -> None:
    """What is none of the words is refused."""
    with pytest.raises(ValidationError):
        FROM_WORKER.validate_json(body)
