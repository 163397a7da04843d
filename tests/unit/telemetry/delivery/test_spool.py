from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.storage import totals
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import SCHEMA, Bounds, Spool


def connect():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(totals.SCHEMA + SCHEMA)
    return connection


@pytest.fixture
def connection():
    connection = connect()
    yield connection
    connection.close()


def counted(connection, metric):
    return {
        total.attributes["signal"]: total.value
        for total in totals.read(connection)
        if total.metric == metric
    }


def payloads(spool, connection, signal, *, most=1000, size=10**9):
    return [e.payload for e in spool.waiting(connection, signal, most=most, size=size)]


def test_beyond_the_bytes_the_oldest_goes_first_and_is_counted(connection):
    """A full spool loses its oldest items whatever their signal, and says how many."""
    spool = Spool(Bounds(size=25, age=1000))
    spool.put(connection, Signal.TRACES, b"a" * 10, 4, now=1.0)
    spool.put(connection, Signal.LOGS, b"b" * 10, 1, now=2.0)
    spool.put(connection, Signal.TRACES, b"c" * 10, 2, now=3.0)

    assert payloads(spool, connection, Signal.TRACES) == [b"c" * 10]
    assert payloads(spool, connection, Signal.LOGS) == [b"b" * 10]
    assert counted(connection, "footfall.spool.dropped") == {"traces": 4}


def test_beyond_the_age_items_go_and_are_counted(connection):
    """What waited for longer than the bound is dropped by the next put."""
    spool = Spool(Bounds(size=1000, age=60))
    spool.put(connection, Signal.LOGS, b"old", 3, now=0.0)
    spool.put(connection, Signal.LOGS, b"kept", 1, now=59.0)
    spool.put(connection, Signal.LOGS, b"new", 1, now=61.0)

    assert payloads(spool, connection, Signal.LOGS) == [b"kept", b"new"]
    assert counted(connection, "footfall.spool.dropped") == {"logs": 3}


def test_accepted_items_are_counted_as_sent_but_for_the_rejected(connection):
    """The collector's partial success is part of the books: sent and dropped add up."""
    spool = Spool(Bounds(size=1000, age=60))
    spool.put(connection, Signal.TRACES, b"x", 10, now=0.0)
    batch = spool.waiting(connection, Signal.TRACES, most=1, size=100)
    spool.accept(connection, Signal.TRACES, batch, rejected=3)

    assert payloads(spool, connection, Signal.TRACES) == []
    assert counted(connection, "footfall.spool.sent") == {"traces": 7}
    assert counted(connection, "footfall.spool.dropped") == {"traces": 3}


def test_sums_that_were_spoiled_are_added_up_anew(connection):
    """A number that changed on disk must not make a spool that has room drop what waits."""
    spool = Spool(Bounds(size=100, age=1000))
    spool.put(connection, Signal.TRACES, b"a" * 10, 4, now=1.0)
    connection.execute("UPDATE spool_sums SET items = 9, bytes = 1 << 40")
    connection.execute("INSERT INTO spool_sums VALUES ('logs', 5, 1 << 40)")
    spool.recount(connection)
    spool.put(connection, Signal.TRACES, b"b", 1, now=2.0)

    assert payloads(spool, connection, Signal.TRACES) == [b"a" * 10, b"b"]
    backlog = spool.backlog(connection)
    assert (backlog[Signal.TRACES].items, backlog[Signal.TRACES].size) == (5, 11)
    assert (backlog[Signal.LOGS].items, backlog[Signal.LOGS].size) == (0, 0)


def test_a_payload_larger_than_a_batch_goes_alone(connection):
    """The batch's size never stops a payload for good."""
    spool = Spool(Bounds(size=1000, age=60))
    spool.put(connection, Signal.LOGS, b"x" * 50, 1, now=0.0)
    spool.put(connection, Signal.LOGS, b"y", 1, now=0.0)
    assert payloads(spool, connection, Signal.LOGS, size=10) == [b"x" * 50]


puts = st.tuples(st.sampled_from(Signal), st.integers(1, 40), st.integers(1, 5))


@given(st.lists(st.one_of(puts, st.sampled_from(Signal)), max_size=60), st.integers(1, 200))
def test_books_and_order_hold_under_any_use(actions, bound):
    """In any mix of puts and deliveries: order is kept, sums are right, nothing vanishes."""
    connection = connect()
    spool = Spool(Bounds(size=bound, age=10**6))
    put = dict.fromkeys(Signal, 0)
    delivered: list[int] = []
    for number, action in enumerate(actions):
        if isinstance(action, Signal):
            batch = spool.waiting(connection, action, most=2, size=30)
            assert [e.id for e in batch] == sorted(e.id for e in batch)
            delivered += [e.id for e in batch]
            spool.accept(connection, action, batch, rejected=0)
        else:
            signal, size, items = action
            spool.put(connection, signal, b"p" * size, items, now=float(number))
            put[signal] += items
    backlog = spool.backlog(connection)
    sent = counted(connection, "footfall.spool.sent")
    dropped = counted(connection, "footfall.spool.dropped")
    for signal in Signal:
        waiting = spool.waiting(connection, signal, most=1000, size=10**9)
        assert backlog[signal].items == sum(e.items for e in waiting)
        assert backlog[signal].size == sum(len(e.payload) for e in waiting)
        assert put[signal] == (backlog[signal].items + sent.get(signal, 0) + dropped.get(signal, 0))
    assert len(delivered) == len(set(delivered))
    assert sum(b.size for b in backlog.values()) <= bound
    connection.close()
