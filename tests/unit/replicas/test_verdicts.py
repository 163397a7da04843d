"""Verdicts over replicas: one count of fails in a row, one incident, whoever walked what."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from agent.core.results import Result
from agent.queue.shared import Away
from agent.storage import incident, journey_state, runs
from agent.storage.run_end import RunEnd
from agent.storage.verdicts import OwnVerdicts
from tests.support.build import START, a_journey
from tests.unit.replicas.conftest import PLACE

FAIL, PASS, FLAKY, LOST = Result.FAIL, Result.PASS, Result.FLAKY, Result.NOT_MEASURED


async def stands(site, journey="buy"):
    states = await site.read(lambda connection: journey_state.read(connection, PLACE))
    return states[journey]


async def listed(site):
    return await site.read(lambda connection: incident.newest(connection, PLACE, 10))


async def test_fails_in_a_row_count_over_replicas_and_down_and_up_are_told_once(replica):
    """A walk may land anywhere: two fails on two machines make one journey down."""
    one, other = await replica("one"), await replica("other")
    assert await one.ran(FAIL, 0) is None
    down = await other.ran(FAIL, 60)
    assert down is not None
    assert (down.down, down.fails, down.since) == (True, 2, START)
    assert down.error == "at 0"
    assert await one.ran(FAIL, 120) is None
    up = await one.ran(PASS, 180)
    assert up is not None
    assert (up.down, up.fails) == (False, 3)
    assert await other.ran(PASS, 240) is None


async def test_every_replica_has_the_same_state_and_the_same_incident(replica):
    """One number and one time line, closed by whoever sees the pass, also where one came later."""
    one, other = await replica("one"), await replica("other")
    await one.ran(FAIL, 0)
    await other.ran(FAIL, 60)
    await one.ran(FAIL, 120)
    await other.ran(PASS, 180)
    late = await replica("late")
    for site in (one, other, late):
        await site.caught_up()
    states = [await stands(site) for site in (one, other, late)]
    assert states[0] == states[1] == states[2]
    assert (states[0].consecutive_failures, states[0].verdict) == (0, PASS)
    tellings = [await listed(site) for site in (one, other, late)]
    assert tellings[0] == tellings[1] == tellings[2]
    (told,) = tellings[0]
    assert (told.number, told.began_at, told.ended_at) == (1, START, START + 181)
    assert [moment.kind for moment in told.moments] == ["fail", "down", "pass"]


@pytest.mark.parametrize("late", list(itertools.permutations(range(4)))[1:], ids=str)
async def test_whatever_order_results_come_in_the_end_is_that_of_their_slots(replica, late):
    """A result that comes after a newer one neither turns the state back nor is lost to it."""
    results = [PASS, FAIL, FAIL, FAIL]
    one, other = await replica("one"), await replica("other")
    turns = [
        await (one if at % 2 else other).ran(results[slot], 60.0 * slot)
        for at, slot in enumerate(late)
    ]
    await one.caught_up()
    state = await stands(one)
    assert (state.verdict, state.consecutive_failures) == (FAIL, 3)
    assert state.failing_since == START + 60
    assert [turn.down for turn in turns if turn] == [True]


async def test_an_old_pass_after_newer_fails_closes_nothing(replica):
    """The journey is down: the pass was before that."""
    one, other = await replica("one"), await replica("other")
    await one.ran(FAIL, 60)
    await one.ran(FAIL, 120)
    assert await other.ran(PASS, 0) is None
    await one.caught_up()
    assert (await stands(one)).consecutive_failures == 2
    (told,) = await listed(one)
    assert told.ended_at is None


async def test_an_old_fail_after_a_newer_pass_opens_nothing(replica):
    """The journey is up: whatever failed did so before that."""
    one, other = await replica("one"), await replica("other")
    await one.ran(FAIL, 0)
    await one.ran(PASS, 120)
    assert await other.ran(FAIL, 60) is None
    assert (await stands(other)).verdict is PASS
    assert await listed(other) == []


async def test_a_run_that_is_taken_in_twice_counts_once_and_tells_the_same(replica, server):
    """After a kill between the store and the own books it is taken in again."""
    one = await replica("one")
    await one.ran(FAIL, 0)
    first = await one.ran(FAIL, 60)
    assert await one.ran(FAIL, 60) == first
    await one.ran(FAIL, 120)
    assert await one.ran(FAIL, 60) == first
    await one.caught_up()
    assert (await stands(one)).consecutive_failures == 3
    (told,) = await listed(one)
    assert told.outages[0].fails == 3


@pytest.mark.parametrize("lost", range(1, 4))
async def test_whatever_answer_is_lost_repeating_comes_to_the_same(replica, lost):
    """The server may have done what nobody heard it say."""
    one = await replica("one")
    await one.ran(FAIL, 0)
    one.store.lost_answers = lost
    while one.store.lost_answers:
        with pytest.raises(Away):
            await one.ran(FAIL, 60)
    await one.ran(FAIL, 60)
    assert (await stands(one)).consecutive_failures == 2
    (told,) = await listed(one)
    assert (told.number, told.outages[0].fails) == (1, 2)


async def test_two_journeys_of_a_site_that_go_down_at_once_are_one_incident(replica, server):
    """Two replicas open it at the same moment, and both have one number."""
    sites = [await replica(f"r{number}") for number in range(4)]
    for number, site in enumerate(sites):
        await site.ran(FAIL, 0, f"j{number}")
    await asyncio.gather(*(site.ran(FAIL, 60, f"j{n}") for n, site in enumerate(sites)))
    for site in sites:
        await site.caught_up()
        (told,) = await listed(site)
        assert {outage.journey for outage in told.outages} == {"j0", "j1", "j2", "j3"}


async def test_a_note_that_is_added_anywhere_shows_everywhere(replica):
    """And at once where it was added; to an incident that nobody knows, none is."""
    one, other = await replica("one"), await replica("other")
    await one.ran(FAIL, 0)
    await one.ran(FAIL, 60)
    assert await other.verdicts.add_note(1, START + 70, "ada", "the cache is full") is True
    assert await other.verdicts.add_note(7, START + 70, "ada", "which one?") is None
    for site in (other, one):
        await site.caught_up()
        (told,) = await listed(site)
        assert [(m.who, m.text) for m in told.moments if m.kind == "note"] == [
            ("ada", "the cache is full")
        ]


async def alone(site, *results):
    """Have an agent that has no others walk slots, as OwnVerdicts writes them."""
    for number, result in enumerate(results):
        at = START + 60.0 * number
        run = RunEnd("buy", PLACE, result, at, at + 1.0, run_id=f"own-{number}", order=at)
        await site.read(await OwnVerdicts().fold(run, a_journey("buy"), (), {}))


async def test_what_an_agent_knew_when_it_was_alone_goes_on_as_the_locations(replica):
    """Its fails in a row, and its incidents with their numbers; a second one's go."""
    one, other = await replica("one"), await replica("other")
    for store in one.store, other.store:
        store._server._entries.clear()
    await alone(one, FAIL, FAIL)
    await alone(other, FAIL, FAIL, PASS, PASS)
    await one.verdicts.begin()
    await other.verdicts.begin()
    await one.ran(FAIL, 120)
    for site in (one, other):
        await site.caught_up()
        assert (await stands(site)).consecutive_failures == 3
        (told,) = await listed(site)
        assert (told.number, told.outages[0].fails, told.ended_at) == (1, 3, None)


async def test_what_was_known_is_taken_up_also_where_the_server_was_away_at_the_start(replica):
    """Before the first run is taken in: no incident of the location gets a number that is had."""
    one = await replica("one")
    one.store._server._entries.clear()
    one.verdicts._begun = False
    await alone(one, FAIL, FAIL, PASS)
    one.store.cut()
    with pytest.raises(Away):
        await one.verdicts.begin()
    one.store.mend()
    await one.ran(FAIL, 5000)
    await one.ran(FAIL, 5060)
    assert [told.number for told in await listed(one)] == [2, 1]


async def test_the_newest_runs_are_known_at_every_replica(replica):
    """Twenty of each journey, also to one that comes later."""
    one, other = await replica("one"), await replica("other")
    for slot in range(30):
        await (one if slot % 2 else other).ran(PASS, slot)
    late = await replica("late")
    await late.caught_up()
    found = await late.read(lambda connection: runs.newest(connection, 100, "buy"))
    assert len(found) == 20
    assert '"buy-29"' in found[0]
