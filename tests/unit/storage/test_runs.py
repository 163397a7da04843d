"""The history: a journey's newest runs, bounded for each journey alone."""

from __future__ import annotations

import json
import sqlite3

import pytest

from agent.storage import runs


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


def newest(connection, limit, *wanted):
    return [json.loads(text) for text in runs.newest(connection, limit, *wanted)]


def test_the_newest_first(connection):
    """By the time they ended, not by the order they were written in; no more than asked for."""
    added = {number: add(connection, "buy", number) for number in (9, 3, 7)}
    assert newest(connection, 10) == [added[9], added[7], added[3]]
    assert newest(connection, 2) == [added[9], added[7]]


def test_the_newest_of_one_journey_and_of_one_result(connection):
    """Each wish alone, both together, and one that nothing fits."""
    failed = add(connection, "buy", 1, "fail")
    passed = add(connection, "buy", 2)
    other = add(connection, "search", 3, "fail")
    assert newest(connection, 10, "buy") == [passed, failed]
    assert newest(connection, 10, "", "fail") == [other, failed]
    assert newest(connection, 10, "buy", "fail") == [failed]
    assert newest(connection, 10, "search", "pass") == []


@pytest.mark.parametrize("wanted", [(), ("buy",), ("", "fail"), ("buy", "fail")])
def test_the_newest_are_found_by_an_index(connection, wanted):
    """However many runs are kept, those asked for are read and no others."""
    asked = []
    connection.set_trace_callback(asked.append)
    runs.newest(connection, 10, *wanted)
    (query,) = asked
    plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert len(plan) == 1, plan
    assert "USING INDEX runs_by_" in plan[0]


def test_which_journeys_have_runs(connection):
    """One that never ran is unknown to the history."""
    add(connection, "buy", 1)
    assert runs.knows(connection, "buy")
    assert not runs.knows(connection, "b")


def test_a_run_comes_back_as_it_was(connection):
    """The public object word for word."""
    document = add(connection, "buy", 1)
    (row,) = connection.execute("SELECT document FROM runs").fetchall()
    assert json.loads(row["document"]) == document


def test_a_row_is_bounded(connection):
    """Whatever a run came with: a thousand of them and more still fit into memory."""
    document = {
        "run_id": "buy-1",
        "journey": "buy",
        "result": "fail",
        "beacons": ["x" * 300] * 9999,
    }
    runs.add(connection, 1000.0, document)
    (kept,) = newest(connection, 1, "buy", "fail")
    assert len(json.dumps(kept)) < 66_000
    assert (kept["run_id"], kept["cut"], len(kept["beacons"]) > 9) == ("buy-1", True, True)


def test_an_answer_is_bounded(connection):
    """The newest of a thousand large runs, and no more than fit into 8 MiB."""
    for number in range(300):
        document = {"run_id": f"{number:03}", "journey": "buy", "result": "fail"}
        runs.add(connection, 1000.0 + number, {**document, "error": "x" * 10**5})
    found = runs.newest(connection, 1000, "buy")
    assert 100 < len(found) < 300
    assert sum(map(len, found)) <= 8 << 20
    assert json.loads(found[0])["run_id"] == "299"


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
    assert newest(connection, 10) == [again]
