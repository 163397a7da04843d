"""Which certificate of a host is told, and for how long."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from agent.core.certificate import LAST_END, Certificate
from agent.storage import certificates
from tests.support.build import a_journey, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.core.model import Journey

NOW, DAY, HOUR = 1_800_000_000.0, 86_400.0, 3_600.0


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(":memory:") as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(certificates.SCHEMA)
        yield connection


def ending(days: float, host: str = "shop.test") -> Certificate:
    return Certificate(host, NOW + days * DAY, 90 * DAY)


def of(*urls: str, **changes: Any) -> Journey:
    return a_journey(site=a_site(*urls), **changes)


def told(connection: sqlite3.Connection) -> dict[str, float]:
    known = certificates.read(connection)
    return {one.certificate.host: (one.certificate.ends_at - NOW) / DAY for one in known}


def test_the_newest_is_told(connection: sqlite3.Connection) -> None:
    """A renewed certificate takes the place of the old one an hour later, whichever ends first."""
    certificates.note(connection, [ending(3)], NOW)
    certificates.note(connection, [ending(80)], NOW + 60)
    assert told(connection) == {"shop.test": 3}, "another machine may still have the old one"
    certificates.note(connection, [ending(80)], NOW + HOUR + 1)
    assert told(connection) == {"shop.test": 80}
    certificates.note(connection, [ending(9)], NOW + 3 * HOUR)
    assert told(connection) == {"shop.test": 9}


def test_several_of_one_run(connection: sqlite3.Connection) -> None:
    """Of those met at once the one that ends soonest is told; hosts stand in the order of ends."""
    met = [ending(80), ending(4), ending(30), ending(2, "api.shop.test"), ending(5, "[::1]:8443")]
    certificates.note(connection, met, NOW)
    assert list(told(connection).items()) == [
        ("api.shop.test", 2), ("shop.test", 4), ("[::1]:8443", 5),
    ]  # fmt: skip


def test_a_clock_that_was_set_back(connection: sqlite3.Connection) -> None:
    """What was met in what is the future now gives way to what is met now."""
    certificates.note(connection, [ending(3)], NOW + 5 * DAY)
    certificates.note(connection, [ending(80)], NOW)
    assert told(connection) == {"shop.test": 80}


def test_bounds(connection: sqlite3.Connection) -> None:
    """A thousand are kept, those met last; and an end as late as there can be is one."""
    for number in range(1_005):
        certificates.note(connection, [ending(number + 1, f"h{number}.test")], NOW + number)
    assert len(told(connection)) == 1_000
    assert "h0.test" not in told(connection)
    certificates.note(connection, [Certificate("ever.test", LAST_END, LAST_END)], NOW + 2_000)
    assert "ever.test" in told(connection)


def test_which_are_still_told(connection: sqlite3.Connection) -> None:
    """A host goes with its site, with the last enabled journey of it, and once it is stale."""
    met = [ending(5), ending(5, "api.shop.test:8443"), ending(5, "other.test")]
    certificates.note(connection, met, NOW)
    known = certificates.read(connection)

    def hosts(*journeys: Journey, now: float = NOW) -> set[str]:
        left = certificates.of_journeys(known, journeys, now)
        return {one.certificate.host for one in left}

    shop = of("https://shop.test", "https://*.shop.test:8443")
    assert hosts(shop) == {"shop.test", "api.shop.test:8443"}
    assert hosts(shop, now=NOW + 6.9 * DAY) == {"shop.test", "api.shop.test:8443"}
    assert hosts(shop, now=NOW + 7.1 * DAY) == set()
    rare = of("https://shop.test", every=10 * DAY)
    assert hosts(shop, rare, now=NOW + 20 * DAY) == {"shop.test"}
    assert hosts(of("https://shop.test", enabled=False)) == set()
    assert hosts(of("http://shop.test"), of("https://shop.test:8443")) == set()
    assert hosts() == set()


@pytest.mark.parametrize(
    ("lifetime", "days", "near"),
    [(90, 21.1, False), (90, 20.9, True), (6, 1.6, False), (6, 1.4, True), (6, -1, True)],
)
def test_when_an_end_is_near(lifetime: float, days: float, near: bool) -> None:
    """In the last 21 days, or the last quarter of one that holds for days only."""
    assert Certificate("shop.test", NOW + days * DAY, lifetime * DAY).is_near(NOW) is near
