from __future__ import annotations

import sqlite3

import pytest

from agent.storage import totals
from agent.storage.totals import Total


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(totals.SCHEMA)
    yield connection
    connection.close()


def test_a_set_of_attributes_is_one_total_in_any_order(connection):
    """Attributes are a set: the order they come in makes no new series."""
    totals.add(connection, "m", {"a": "1", "b": "2"})
    totals.add(connection, "m", {"b": "2", "a": "1"}, 4)
    totals.add(connection, "m", {"a": "1"})
    assert sorted(totals.read(connection), key=lambda total: total.value) == [
        Total("m", {"a": "1"}, 1),
        Total("m", {"a": "1", "b": "2"}, 5),
    ]


def test_the_epoch_is_set_once(connection):
    """The counters' start time is that of the first start, whenever the next one is."""
    assert totals.begin(connection, 100.5) == 100.5
    assert totals.begin(connection, 200.0) == 100.5
