"""Over all replicas of a location each slot has one word, whichever of them dies, and when."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.core import ids
from agent.core.model import SkipReason
from agent.core.results import Result
from agent.runs.ledger import Fate
from agent.runs.replicated import pending_words
from agent.schedule import slots
from agent.schedule.decision import Elsewhere, Skip
from agent.storage import runs
from tests.support.build import a_run, an_attempt
from tests.unit.runs.replicated.conftest import slot, words_of

EVERY_STEP = range(7)


async def decide(replica, *decisions):
    await replica.ledger.decide(list(decisions))


async def test_a_walked_slot_is_counted_by_who_walked_it(replicas):
    """Expected, result, history and counters in its books, and nothing in the others'."""
    a, b, c = replicas
    for one in replicas:
        await decide(one, Elsewhere(slot()))
    assert await b.walk(slot()) is Fate.WALK
    assert [await one.words() for one in replicas] == [{}, {"pass": 1}, {}]
    kept = await b.database.transaction(lambda connection: list(runs.newest(connection, 9)))
    assert [json.loads(run)["run_id"] for run in kept] == [ids.run_id(slot())]
    assert await a.walk(slot()) is Fate.ENDED, "it has a word"
    assert await c.ledger.skip(ids.run_id(slot()), slot(), SkipReason.CAPACITY) is Fate.ENDED
    assert await words_of(replicas) == {"pass": 1}


async def test_a_skip_that_all_decide_counts_once(replicas):
    """Whichever is first with the store; the others forget theirs."""
    browse = slot(0, "browse")
    paused, overrun = Skip(slot(), SkipReason.PAUSED), Skip(browse, SkipReason.OVERRUN)
    for one in replicas:
        await decide(one, paused, overrun)
        assert not await one.words()
    await asyncio.gather(*(one.ledger.settle_all() for one in replicas))
    assert await words_of(replicas) == {"paused": 1, "overrun": 1}
    assert not sum(one.waiting for one in replicas)


async def test_what_a_replica_missed_itself_is_not_its_to_say(replicas):
    """Others may have walked it: a gap, a moment that passed, its own end."""
    a, b, _ = replicas
    for number, reason in enumerate([SkipReason.DOWN, SkipReason.LATE, SkipReason.SHUTDOWN]):
        await decide(a, Skip(slot(10 * number + 5), reason, 5, slot(10 * number + 1).scheduled_at))
    await a.ledger.settle_all()
    assert await a.words() == {}
    assert await b.walk(slot(3)) is Fate.WALK
    assert await a.walk(slot(4)) is Fate.WALK, "also by itself, once it is given to it"
    assert await a.ledger.skip(ids.run_id(slot(5)), slot(5), SkipReason.SHUTDOWN) is Fate.LEFT
    assert await words_of(replicas) == {"pass": 2}


async def test_who_has_other_journeys_than_are_walked_says_nothing_of_slots(replicas):
    """Its slots may be others than those that are walked."""
    a, *_ = replicas
    a.owns = False
    await decide(a, Skip(slot(), SkipReason.PAUSED))
    await a.ledger.settle_all()
    assert await words_of(replicas) == {}


@pytest.mark.parametrize("steps", EVERY_STEP)
@pytest.mark.parametrize("answered", [True, False])
async def test_a_kill_at_any_instant_of_a_walk_leaves_one_word(replicas, steps, answered):
    """Before the claim is noted, under the walk, with the word held, said or counted: after its
    start the replica has settled it, unless another had the word before."""
    a, b, _ = replicas
    await decide(a, Elsewhere(slot()))
    died = await a.killed_after(steps, a.walk(slot()))
    assert died is (steps < 6), f"the walk has {a.fuse.steps} steps"
    await a.words()
    if not answered:
        # The other is quicker than the start of the one that died.
        await b.ledger.give(Skip(slot(), SkipReason.CAPACITY))
    await a.take_up()
    if not await words_of(replicas):
        assert steps == 0, "it was never claimed here"
        await b.walk(slot())
    ((word, number),) = (await words_of(replicas)).items()
    assert number == 1
    assert word in {"pass", "not_measured"} or not answered
    assert not a.waiting + b.waiting


@pytest.mark.parametrize("steps", range(5))
async def test_a_kill_at_any_instant_of_a_skip_leaves_one_word(replicas, steps):
    """Also while another decides the same."""
    a, b, _ = replicas

    async def skip(one):
        await decide(one, Skip(slot(), SkipReason.PAUSED))
        await one.ledger.settle_all()

    await a.killed_after(steps, skip(a))
    await skip(b)
    await a.take_up()
    assert await words_of(replicas) == {"paused": 1}
    assert not a.waiting + b.waiting


async def test_a_word_waits_while_the_store_is_away(replicas):
    """It is counted, whole, once the store is back, also by who was started again in between."""
    a, b, _ = replicas
    assert await a.ledger.start(ids.run_id(slot()), slot()) is Fate.WALK
    a.store.cut()
    await a.end(
        a_run(an_attempt(Result.FAIL), an_attempt(Result.FAIL, 2), request=a.request(slot()))
    )
    await decide(a, Skip(slot(1), SkipReason.PAUSED))
    await a.ledger.settle_all()
    assert await a.words() == {}
    assert a.waiting == 2
    assert await a.ledger.start(ids.run_id(slot(2)), slot(2)) is Fate.LEFT, "others may have it"
    await a.stop()
    await a.start()
    a.store.mend()
    await b.walk(slot(1))
    await a.take_up()
    assert [await one.words() for one in (a, b)] == [{"fail": 1}, {"pass": 1}]
    kept = await a.database.transaction(lambda connection: list(runs.newest(connection, 9)))
    assert json.loads(kept[0])["result"] == "fail"
    assert a.ledger.watched == {"buy": 1}


async def test_an_answer_that_was_lost_is_asked_for_again(replicas):
    """The word was written though the answer never came: it is this replica's all the same."""
    a, *_ = replicas
    await a.ledger.start(ids.run_id(slot()), slot())
    a.store.lost_answers = 1
    await a.walk(slot())
    await decide(a, Skip(slot(1), SkipReason.PAUSED))
    a.store.lost_answers = 1
    await a.ledger.settle_all()
    assert a.store.lost_answers == 0
    await a.ledger.settle_all()
    assert (await words_of(replicas))["paused"] == 1


async def test_who_stood_still_under_its_walk_counts_nothing_more(replicas):
    """Another has said meanwhile that it was lost."""
    a, b, _ = replicas
    await a.ledger.start(ids.run_id(slot()), slot())
    await b.walk(slot(), Result.NOT_MEASURED)
    await a.end(a_run(an_attempt(), request=a.request(slot())))
    assert [await one.words() for one in (a, b)] == [{}, {"not_measured": 1}]
    assert not a.waiting


async def test_several_slots_may_be_skipped_in_one_word(replicas):
    """The last of them stands for all, and all are counted."""
    a, b, _ = replicas
    gap = Skip(slot(500), SkipReason.DOWN, 500, slot(1).scheduled_at)
    for one in (a, b):
        await one.ledger.give(gap)
    assert await words_of(replicas) == {"down": 500}


async def test_a_result_that_cannot_be_read_any_more_counts_as_lost(replicas):
    """By another version of the agent, or damaged: it was walked all the same."""
    a, *_ = replicas
    await a.ledger.start(ids.run_id(slot()), slot())
    await a.database.transaction(
        lambda c: pending_words.end(c, ids.run_id(slot()), b"from another time", 1.0, 1.0)
    )
    await a.ledger.settle_all()
    assert await a.words() == {"not_measured": 1}
    assert not a.waiting


async def test_what_is_too_old_to_be_known_is_let_go(replicas, clock):
    """Its word may have been forgotten by the store by then, so nobody counts it twice."""
    a, *_ = replicas
    a.store.cut()
    await decide(a, Skip(slot(), SkipReason.PAUSED))
    clock.advance(25.5 * 3600)
    a.store.mend()
    await a.ledger.settle_all()
    assert await a.words() == {}
    assert not a.waiting


async def test_slots_of_before_it_had_others_beside_it_end_in_its_books(replicas):
    """What was offered, or ran, when the agent was alone is expected there already."""
    a, *_ = replicas

    def before(connection):
        for number in range(3):
            slots.offer(connection, slot(number))
        slots.start(connection, ids.run_id(slot(1)))
        slots.start(connection, ids.run_id(slot(2)))

    await a.database.transaction(before)
    waiting, running, gone = await a.ledger.unfinished()
    await a.ledger.forget(waiting)
    await a.end(a_run(an_attempt(), request=a.request(running.slot)))
    await a.ledger.forget(gone)
    counts = (await a.counts())["buy"]
    assert (counts.expected, counts.in_flight) == (3, 0)
    assert counts.skips == {SkipReason.DOWN: 1}
