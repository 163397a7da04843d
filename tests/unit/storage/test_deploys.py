"""Releases that went out: told once each, met by walks, and near what began after them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from agent.core.deploy import WALK, Deploy
from agent.storage import deploys

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW, HOUR = 1_800_000_000.0, 3_600.0


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(":memory:") as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(deploys.SCHEMA)
        yield connection


def note(connection: sqlite3.Connection, release: str, at: float, **more: str) -> bool:
    return deploys.note(connection, Deploy("shop", release, at, **more))[1]


def known(connection: sqlite3.Connection) -> list[tuple[str, float]]:
    return [(one.release, one.at - NOW) for one in deploys.newest(connection, 1000)]


def test_what_is_told_again_is_the_same_deploy(connection: sqlite3.Connection) -> None:
    """A retry is no second deploy; a release that comes back after another one is."""
    assert note(connection, "1.4.3", NOW)
    assert not note(connection, "1.4.3", NOW + 5)
    assert note(connection, "1.4.2", NOW + 60)
    assert not note(connection, "1.4.3", NOW)
    assert note(connection, "1.4.3", NOW + 120)
    assert note(connection, "1.4.3", NOW + 120 + HOUR)
    assert known(connection) == [
        ("1.4.3", 120 + HOUR),
        ("1.4.3", 120),
        ("1.4.2", 60),
        ("1.4.3", 0),
    ]
    other = Deploy("other", "1.4.3", NOW + 121)
    assert deploys.note(connection, other) == (other, True)
    assert deploys.newest(connection, 10, "other") == [other]


def test_the_first_release_of_a_site_is_no_event(connection: sqlite3.Connection) -> None:
    """Nobody knows since when that has run; one that comes later and is announced by nobody was
    first seen when it was, and one that is announced was seen then."""
    deploys.meet(connection, "shop", ["1.4.2"], NOW)
    assert known(connection) == []
    deploys.meet(connection, "shop", ["1.4.2", "1.4.3"], NOW + 60)
    deploys.meet(connection, "shop", ["1.4.3"], NOW + 120)
    (met,) = deploys.newest(connection, 10)
    assert met == Deploy("shop", "1.4.3", NOW + 60, WALK, seen_at=NOW + 60)
    note(connection, "1.4.4", NOW + 180)
    deploys.meet(connection, "shop", ["1.4.4"], NOW + 190)
    deploys.meet(connection, "shop", ["1.4.4"], NOW + 250)
    assert deploys.newest(connection, 1)[0].seen_at == NOW + 190
    note(connection, "1.4.5", NOW + 300)
    deploys.meet(connection, "shop", ["1.4.5"], NOW + 299)
    assert deploys.newest(connection, 1)[0].seen_at == NOW + 300


def test_one_that_is_announced_after_it_was_met(connection: sqlite3.Connection) -> None:
    """Is one deploy, at the time that is told, by who tells it."""
    deploys.meet(connection, "shop", ["1.4.2"], NOW)
    deploys.meet(connection, "shop", ["1.4.3"], NOW + 60)
    assert note(connection, "1.4.3", NOW + 55, source="github", url="https://ci.test/1")
    assert not note(connection, "1.4.3", NOW + 70)
    (told,) = deploys.newest(connection, 10)
    assert told == Deploy(
        "shop", "1.4.3", NOW + 55, "github", "https://ci.test/1", seen_at=NOW + 60
    )


def test_a_site_that_answers_by_any_number(connection: sqlite3.Connection) -> None:
    """Fills nothing: a few an hour are taken in, and of all of them the newest are kept."""
    deploys.meet(connection, "shop", [str(n) for n in range(100)], NOW)
    assert len(known(connection)) == 5
    for number in range(600):
        note(connection, str(number), NOW + 1000 * number)
    assert len(known(connection)) == 500


def test_what_began_near_a_deploy(connection: sqlite3.Connection) -> None:
    """The last deploy of the hour before it; else one that came while its first walk went on, if
    it was known then. Of another site none."""

    def near(began: float, until: float = 60.0) -> str | None:
        found = deploys.near(connection, "shop", NOW + began, NOW + began + until)
        return found and found.release

    note(connection, "1.4.3", NOW)
    note(connection, "1.4.4", NOW + 600)
    deploys.note(connection, Deploy("other", "9", NOW + 11))
    assert (near(12), near(599), near(600), near(4199)) == ("1.4.3", "1.4.3", "1.4.4", "1.4.4")
    assert near(600 + HOUR + 1) is None
    assert (near(-5), near(-5, 4), near(-40)) == ("1.4.3", None, None)
    # One that came in the midst of a walk, and answered it, is told rather than one before it.
    met = ["1.4.3", "1.4.4"]
    found = deploys.near(connection, "shop", NOW + 599, NOW + 602, met)
    assert found is not None
    assert (found.release, near(599, 3)) == ("1.4.4", "1.4.3")


def test_a_clock_that_is_set_back(connection: sqlite3.Connection) -> None:
    """Takes what is noted along: no deploy lies in the future."""
    note(connection, "1.4.3", NOW)
    deploys.set_back(connection, 500, NOW - 400)
    assert known(connection) == [("1.4.3", -500)]
