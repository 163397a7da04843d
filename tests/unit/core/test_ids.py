import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import ids
from agent.core.model import Slot

slots = st.builds(
    Slot,
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    st.sampled_from(["eu", "us", "eu-west-1"]),
    st.integers(0, 2**42).map(lambda milliseconds: milliseconds / 1000),
)


@given(slots, slots)
def test_a_run_id_names_one_slot(one, other):
    """Two run ids are equal exactly when their slots are."""
    assert (ids.run_id(one) == ids.run_id(other)) == (one == other)


def test_a_run_id_is_the_same_for_ever():
    """A slot's run id is a UUID that neither a restart nor a release changes."""
    run_id = ids.run_id(Slot("buy_a_mug", "eu-west-1", 1_700_000_000.25))
    assert run_id == "e2864813-bec0-5b17-8b74-3cdc90500e48"
    assert uuid.UUID(run_id).version == 5


@given(st.integers(0, 2**42))
def test_a_fresh_run_id_is_a_uuid_of_version_7(milliseconds):
    """A run without a slot gets a UUIDv7: its time first, version 7, the RFC's variant."""
    value = uuid.UUID(ids.fresh_run_id(milliseconds / 1000))
    assert abs((value.int >> 80) - milliseconds) <= 1
    assert value.version == 7
    assert value.variant == uuid.RFC_4122


def test_fresh_run_ids_differ():
    """Runs made at the same instant have different ids."""
    assert len({ids.fresh_run_id(1_700_000_000) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(("make", "digits"), [(ids.trace_id, 32), (ids.span_id, 16)])
def test_trace_and_span_ids_are_valid(make, digits):
    """Trace and span ids are lower-case hex of the right length, and differ."""
    values = {make() for _ in range(1000)}
    assert len(values) == 1000
    assert all(len(value) == digits and value == f"{int(value, 16):0{digits}x}" for value in values)


def test_an_id_of_all_zero_is_drawn_again(monkeypatch):
    """All zero means "no id" to OpenTelemetry, so it is never given out."""
    draws = iter([bytes(8), bytes(7) + b"\x01"])
    monkeypatch.setattr("secrets.token_bytes", lambda size: next(draws))
    assert ids.span_id() == "0000000000000001"
