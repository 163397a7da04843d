"""The outlines of passes, in the database."""

from __future__ import annotations

import sqlite3

import pytest

from agent.core.outline import Asked, Outline, StepBegun, Version
from agent.storage import outlines


@pytest.fixture
def connection():
    opened = sqlite3.connect(":memory:")
    opened.executescript(outlines.SCHEMA)
    yield opened
    opened.close()


def outline(number=0):
    script = Asked("GET /a.js", "script", True, 1, "GET /", ("200",), 0.02, Version(query="v=1"))
    return Outline(
        "https://shop.example.com",
        (StepBegun("Pay", 1.5),),
        (script,),
        {"https://cdn.example.net": ""},
        release=f"1.{number}",
    )


def test_what_is_kept_comes_back(connection):
    """Whole, of one journey at one location, the newest first."""
    for number in range(3):
        outlines.add(connection, "buy", "eu", 100.0 + number, outline(number))
    outlines.add(connection, "buy", "us", 200.0, outline(7))
    outlines.add(connection, "search", "eu", 200.0, outline(8))
    assert outlines.newest(connection, "buy", "eu") == [outline(2), outline(1), outline(0)]
    assert outlines.newest(connection, "sell", "eu") == []


def test_the_oldest_go(connection):
    """Of each journey twenty are kept, and those of three months ago are no more asked for."""
    for number in range(25):
        outlines.add(connection, "buy", "eu", 100.0 + number, outline(number))
    assert len(outlines.newest(connection, "buy", "eu")) == 20
    assert outlines.newest(connection, "buy", "eu")[-1] == outline(5)
    outlines.prune(connection, 120.0)
    assert outlines.newest(connection, "buy", "eu")[-1] == outline(20)


@pytest.mark.parametrize("damaged", [b"", b"no deflate", outlines.zlib.compress(b'{"site": 7}')])
def test_a_damaged_one_is_left_out(connection, damaged):
    """What can't be read costs the others nothing."""
    outlines.add(connection, "buy", "eu", 100.0, outline())
    outlines.add(connection, "buy", "eu", 101.0, outline())
    connection.execute("UPDATE outlines SET outline = ? WHERE ended_at = 101", (damaged,))
    assert outlines.newest(connection, "buy", "eu") == [outline()]
