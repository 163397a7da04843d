"""Who is there: heard, lost, drained, and what is remembered of who is gone."""

from __future__ import annotations

import pytest
import structlog

from agent.queue.shared import Away
from agent.replicas.presence import TTL, Announcement, Presence


@pytest.fixture
def presence(server, clock):
    def one(name, walks=()):
        def describe():
            at = f"http://{name}:8080"
            return Announcement(
                *(name, "1.0", f"host-{name}", at, "", 2, 1, "abc", clock.wall()),
                running=list(walks),
            )

        return Presence(server.store(), describe, clock)

    return one


def names(found):
    return sorted(one.instance for one in found)


async def test_replicas_hear_each_other_until_one_is_silent(presence, clock):
    """Who is lost is told once, with its host, and is still known."""
    one, other = presence("one"), presence("other")
    await one.announce()
    await other.announce()
    await one.look()
    assert names(one.heard()) == ["one", "other"]
    clock.advance(TTL)
    await one.announce()
    with structlog.testing.capture_logs() as logs:
        await one.look()
        await one.look()
    assert names(one.heard()) == ["one"]
    assert [(log["event"], log["host"]) for log in logs] == [("replica.lost", "host-other")]
    known = one.find("other")
    assert known is not None
    assert (known.is_heard, known.left, known.said.address) == (False, False, "http://other:8080")


async def test_what_others_walk_is_known_as_long_as_they_are_heard(presence, clock):
    """Without what is walked here."""
    one, other = presence("one", ["buy", "look"]), presence("other", ["look", "pay"])
    assert one.walking() == set()
    await other.announce()
    await one.look()
    assert one.walking() == {"look", "pay"}
    clock.advance(TTL)
    await one.look()
    assert one.walking() == set()


async def test_who_drained_is_missed_by_nobody(presence, clock):
    """It said that it goes."""
    one, other = presence("one"), presence("other")
    await other.announce()
    await one.look()
    with structlog.testing.capture_logs() as logs:
        await other.drain()
        await one.look()
        assert next(said for said in one.heard() if said.instance == "other").draining
        await other.leave()
        await one.look()
    assert [log["event"] for log in logs] == ["replica.draining", "replica.left"]
    assert one.find("other").left


async def test_who_has_left_between_two_looks_is_not_lost(presence):
    """Nobody saw it drain, and it has said so all the same."""
    one, other = presence("one"), presence("other")
    await other.announce()
    await one.look()
    await other.drain()
    await other.leave()
    with structlog.testing.capture_logs() as logs:
        await one.look()
    assert [log["event"] for log in logs] == ["replica.left"]


async def test_who_is_cut_off_hears_itself_alone(presence, clock, server):
    """What it heard before says nothing any more once it is older than an announcement holds."""
    one, other = presence("one"), presence("other")
    await other.announce()
    await one.look()
    server.stores[0].cut()
    clock.advance(TTL + 1)
    with pytest.raises(Away):
        await one.look()
    assert names(one.heard()) == ["one"]
    assert not one.find("other").is_heard


async def test_one_that_comes_later_knows_who_was_there(presence, clock):
    """Pages lead to what a replica kept that is gone."""
    gone = presence("gone")
    await gone._remember()
    await gone.announce()
    clock.advance(TTL + 1)
    later = presence("later")
    with structlog.testing.capture_logs() as logs:
        await later.look()
    assert logs == []
    assert later.find("gone").said.address == "http://gone:8080"


async def test_a_clock_that_is_apart_is_told_once(server, clock):
    """By how much it is before the server's."""

    def describe():
        return Announcement("one", "1.0", "h", "", "", 2, 1, "abc", 0.0)

    one = Presence(server.store(), describe, clock)
    await one.announce()
    key, entry = next(iter(server.entries().items()))
    clock.step(-5)
    server.write(key, entry.value, 100)
    with structlog.testing.capture_logs() as logs:
        await one.look()
        await one.look()
    assert [(log["event"], log["ahead"]) for log in logs] == [("replica.clock", 5.0)]
