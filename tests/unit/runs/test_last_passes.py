"""Failures beside the passes of a state folder."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from agent.core.difference import Comparison
from agent.core.errors import ErrorType
from agent.core.outline import Outline
from agent.core.results import Result
from agent.runs.last_passes import LastPasses
from agent.storage import outlines
from agent.storage.reader import Reader
from tests.support.build import an_attempt

PASS = Outline("https://shop.example.com", release="1")
FAILED = an_attempt(Result.FAIL, outline=replace(PASS, release="2"))


@pytest.fixture
def state(tmp_path):
    """The database of an agent that walked one journey five times."""
    path = tmp_path / "footfall.db"
    connection = sqlite3.connect(path)
    connection.executescript(outlines.SCHEMA)
    for number in range(5):
        outlines.add(connection, "buy", "eu", 100.0 + number, PASS)
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def passes(state):
    reader = Reader(state)
    yield LastPasses(reader, "eu")
    reader.close()


async def test_a_failure_is_compared_with_its_own_passes(passes):
    """Those of its journey at its location; others have none."""
    found = await passes.compare("buy", FAILED)
    assert (found.passes, found.changes[0].kind) == (5, "release")
    assert await passes.compare("sell", FAILED) == Comparison()


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        (FAILED, True),
        (replace(FAILED, result=Result.NOT_MEASURED, error_type=ErrorType.SCRIPT_ERROR), True),
        (replace(FAILED, result=Result.NOT_MEASURED, error_type=ErrorType.CANARY), False),
        (replace(FAILED, result=Result.NOT_MEASURED, error_type=ErrorType.WORKER_LOST), False),
        (replace(FAILED, outline=None), False),
    ],
)
async def test_the_agents_own_trouble_is_not_compared(passes, attempt, told):
    """It would pass for the target's; an author's exception may well come of a changed answer."""
    assert bool((await passes.compare("buy", attempt)).changes) is told


async def test_what_cant_be_read_costs_no_verdict(state, passes):
    """A file of an older agent, a damaged one, none at all: nothing is said."""
    state.write_bytes(b"no database" * 1000)
    assert await passes.compare("buy", FAILED) == Comparison()
    with sqlite3.connect(":memory:") as empty, sqlite3.connect(state.with_name("old.db")) as old:
        empty.backup(old)
    reader = Reader(state.with_name("old.db"))
    assert await LastPasses(reader, "eu").compare("buy", FAILED) == Comparison()
    reader.close()
    assert await LastPasses(None, "eu").compare("buy", FAILED) == Comparison()
