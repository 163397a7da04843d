"""Pauses over replicas: set and resumed anywhere, merged with what each had, refused while away."""

from __future__ import annotations

import pytest

from agent.core.suspension import Mode
from agent.queue import key_names
from agent.queue.shared import Away
from agent.replicas.shared_pauses import SharedPauses
from agent.schedule.pauses import Pause, Pauses
from tests.support.build import START


def a_pause(name, *journeys, since=START, until=None, **more):
    of = journeys or None
    return Pause(name, of, Mode.STOP, "release", "ada", since, until, **more)


class Replica:
    def __init__(self, server, clock, *had):
        self.store = server.store()
        self.pauses = Pauses(had)
        self.shared = SharedPauses(self.store, self.pauses, clock)

    def held(self):
        return {one.id for one in self.pauses.in_force(START + 1)}


@pytest.fixture
async def pair(server, clock):
    pair = Replica(server, clock), Replica(server, clock)
    for one in pair:
        await one.shared.begin()
    return pair


async def test_what_is_paused_and_resumed_anywhere_is_so_everywhere(pair):
    """Whoever looks has it; one journey that is let go at another replica too."""
    one, other = pair
    await one.shared.add(a_pause("p", "buy", "search", now=True))
    new = await other.shared._look()
    assert [(pause.id, pause.now) for pause in new] == [("p", True)]
    await other.shared.resume(["buy"], START + 1)
    await one.shared._look()
    for replica in pair:
        (pause,) = replica.pauses.known
        assert (pause.holds("buy", START + 2), pause.holds("search", START + 2)) == (False, True)


async def test_what_each_had_paused_by_itself_holds_for_all(server, clock):
    """At the first start beside others, and after the server has lost everything."""
    one = Replica(server, clock, a_pause("a", "buy"))
    other = Replica(server, clock, a_pause("b", "search"))
    await one.shared.begin()
    await other.shared.begin()
    await one.shared._look()
    assert one.held() == other.held() == {"a", "b"}
    server.remove(key_names.PAUSES)
    await other.shared._look()
    late = Replica(server, clock)
    await late.shared.begin()
    assert late.held() == {"a", "b"}


async def test_what_was_resumed_while_a_replica_was_away_stays_resumed(pair):
    """It comes back with the pause as it was."""
    one, other = pair
    await one.shared.add(a_pause("p"))
    await other.shared._look()
    other.store.cut()
    await one.shared.resume(None, START + 0.5)
    other.store.mend()
    await other.shared._look()
    await one.shared._look()
    assert one.held() == other.held() == set()


@pytest.mark.parametrize("lost", [False, True])
async def test_what_was_refused_holds_nowhere(pair, lost):
    """Also where the server had heard of it, and its answer alone was lost."""
    one, other = pair
    if lost:
        one.store.lost_answers = 1
    else:
        one.store.cut()
    with pytest.raises(Away):
        await one.shared.add(a_pause("p"))
    assert one.held() == set()
    one.store.mend()
    assert await one.shared._look() == []
    await other.shared._look()
    assert one.held() == other.held() == set()


async def test_a_damaged_file_pauses_nothing_where_others_know_what_is_paused(server, clock):
    """Alone it would have to pause everything."""
    made_up = Pause("x", None, Mode.STOP, "can't be read", "footfall", START, None)
    fresh = Replica(server, clock, made_up)
    await fresh.shared.begin()
    assert fresh.held() == {"x"}
    await fresh.shared.resume(None, START)
    damaged = Replica(server, clock, made_up)
    await damaged.shared.begin()
    assert damaged.held() == set()
