"""The history: a journey's newest runs, bounded for each journey alone."""

from __future__ import annotations

import json
import sqlite3

import pytest

from agent.history import runs


@pytest.fixture
def connection():
    opened = sqlite3.connect(":memory:")
    opened.row_factory = sqlite3.Row
    opened.executescript(runs.SCHEMA)
    yield opened
    opened.close()


def add(connection, journey, number, result="pass"):
    document = {"run_id": f"{journey}-{number}", "journey": journey, "result": result, "ü": "ß"}
    runs.add(connection, 1000.0 + number, document)
    return document


def test_the_newest_of_each_journey(connection):
    """By the time they ended, not by the order they were written in."""
    newest = add(connection, "buy", 9, "fail")
    add(connection, "buy", 3)
    other = add(connection, "search", 1)
    assert runs.latest(connection) == {"buy": newest, "search": other}


def test_a_run_comes_back_as_it_was(connection):
    """The public object word for word."""
    document = add(connection, "buy", 1)
    (row,) = connection.execute("SELECT document FROM runs").fetchall()
    assert json.loads(row["document"]) == document


def test_a_journeys_oldest_go_beyond_a_thousand(connection):
    """1000 of each journey stay, the newest; a busy journey costs a quiet one nothing."""
    add(connection, "quiet", 0)
    for number in range(1003):
        add(connection, "busy", number)
    kept = connection.execute(
        "SELECT journey, count(*) AS n, min(ended_at) AS oldest FROM runs GROUP BY journey"
    ).fetchall()
    assert {row["journey"]: row["n"] for row in kept} == {"busy": 1000, "quiet": 1}
    assert {row["journey"]: row["oldest"] for row in kept} == {"busy": 1003.0, "quiet": 1000.0}


def test_the_same_run_twice_is_kept_once(connection):
    """A run that is written again replaces itself."""
    add(connection, "buy", 1)
    again = add(connection, "buy", 1, "fail")
    assert runs.latest(connection) == {"buy": again}
    assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] == 1
