"""Whose journeys are walked while replicas differ: one bundle's at any time, the newest's."""

from __future__ import annotations

import pytest

from agent.queue import key_names
from agent.queue.ownership import FORGOTTEN, HUNGER, Ownership
from agent.queue.shared import Away
from tests.support.clock import ManualClock
from tests.support.memory_store import MemoryServer
from tests.support.replica_queue import Heard, HeardReplicas


class Location:
    """Replicas that all hear the same, and look in turn."""

    def __init__(self):
        self.clock = ManualClock()
        self.server = MemoryServer(self.clock)
        self.heard = HeardReplicas()
        self.ends = {}

    def join(self, instance, bundle, free=1):
        self.heard.all.append(Heard(instance, bundle, free))
        self.ends[instance] = Ownership(self.server.store(), self.heard, bundle, self.clock)
        return self.ends[instance]

    def said(self, instance):
        return next(one for one in self.heard.all if one.instance == instance)

    def die(self, instance):
        self.heard.all.remove(self.said(instance))
        del self.ends[instance]

    async def look(self):
        for end in list(self.ends.values()):
            await end.look()

    def owners(self):
        return {end.bundle for end in self.ends.values() if end.owns}


@pytest.fixture
def location():
    return Location()


async def test_replicas_with_the_same_journeys_all_own_them(location):
    """Whoever is there first has them for all, and nobody knows before having looked."""
    one, other = location.join("one", "old"), location.join("two", "old")
    assert not one.settled
    await location.look()
    assert one.owns
    assert other.owns
    assert not one.behind


async def test_newer_journeys_own_the_slots_from_the_first_replica_on(location):
    """The old ones know that they are behind, and never do both own for longer than a look."""
    old = location.join("one", "old")
    location.join("two", "old")
    await location.look()
    new = location.join("three", "new")
    await new.look()
    assert new.owns
    await location.look()
    assert location.owners() == {"new"}
    assert old.behind
    assert not new.behind


async def test_a_new_replica_without_a_worker_waits_until_it_has_one(location):
    """It would take what it can't walk."""
    old = location.join("one", "old")
    await location.look()
    new = location.join("two", "new", free=0)
    await location.look()
    assert (old.owns, new.owns) == (True, False)
    location.said("two").free = 1
    await location.look()  # whoever takes over tells the others by their next look
    await location.look()
    assert location.owners() == {"new"}


async def test_older_journeys_take_over_where_nobody_has_the_newer_ones_any_more(location):
    """A replica that drains counts as gone; they are the owner's again at once."""
    old = location.join("one", "old")
    await location.look()
    location.join("two", "new")
    await location.look()
    location.said("two").draining = True
    await location.look()
    assert old.owns
    assert location.owners() == {"old"}


async def test_older_journeys_help_out_where_the_newer_have_no_worker_for_long(location):
    """A moment without one changes nothing, and the newer have them back with the first free."""
    location.join("one", "old")
    await location.look()
    location.join("two", "new")
    await location.look()
    location.said("two").free = 0
    location.clock.advance(HUNGER - 1)
    await location.look()
    assert location.owners() == {"new"}
    location.clock.advance(2)
    await location.look()
    assert location.owners() == {"old"}
    location.said("two").free = 1
    await location.look()
    await location.look()
    assert location.owners() == {"new"}


async def test_no_clock_says_which_journeys_are_newer(location):
    """A replica of old journeys that is started again is no newer for that."""
    location.join("one", "old")
    await location.look()
    location.join("two", "new")
    await location.look()
    location.die("one")
    location.clock.advance(5)
    back = location.join("one", "old")
    await location.look()
    assert location.owners() == {"new"}
    assert back.behind


async def test_journeys_that_come_back_after_they_were_gone_are_new_again(location):
    """A change that is taken back is a change: once forgotten, the old bundle is the newest."""
    location.join("one", "old")
    await location.look()
    location.join("two", "new")
    await location.look()
    location.die("one")
    await location.look()
    location.clock.advance(FORGOTTEN + 1)
    await location.look()
    assert key_names.bundle("old") not in location.server.entries()
    back = location.join("one", "old")
    await location.look()
    await location.look()
    assert location.owners() == {"old"}
    assert not back.behind


async def test_journeys_that_are_loaded_anew_own_the_slots_as_a_new_replica_would(location):
    """Until they are announced, nothing is known of whose slots are walked."""
    end = location.join("one", "old")
    await location.look()
    end.serve("new")
    location.said("one").bundle = "new"
    assert not end.settled
    assert not end.owns
    await location.look()
    assert end.owns


async def test_while_the_server_is_away_what_was_known_holds(location):
    """Nobody takes over on guesswork."""
    old = location.join("one", "old")
    await location.look()
    location.server.stop()
    with pytest.raises(Away):
        await old.look()
    assert old.owns
