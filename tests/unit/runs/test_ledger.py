"""The books: each end of a slot in one transaction with its history, counters and spans."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agent.core import ids
from agent.core.beacon_report import Audit, BeaconAction
from agent.core.clock import SystemClock
from agent.core.model import Journey, SkipReason, Slot
from agent.core.results import Result, SpanData
from agent.runs.conduct import interrupted
from agent.runs.ledger import SCHEMA, Fate, Ledger
from agent.schedule import slots
from agent.schedule.decision import Elsewhere, Offer, Skip
from agent.storage import incident, journey_state, rollups, runs
from agent.storage.database import Database
from agent.storage.journey_state import JourneyState
from agent.telemetry import telemetry
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.telemetry import Telemetry
from tests.support.build import a_journey, a_request, a_run, an_attempt
from tests.support.clock import ManualClock
from tests.support.slot_counts import count_slots

PLACE = "eu-west-1"
AT = 1_800_000_000.0


@pytest.fixture
async def database(tmp_path):
    schemas = [slots.SCHEMA, runs.SCHEMA, telemetry.SCHEMA, SCHEMA]
    opened = Database(tmp_path / "footfall.db", schemas, SystemClock())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(database):
    # Never started: it writes into the spool, and nobody sends.
    sent = Telemetry(
        database,
        resolve({}, endpoint="http://127.0.0.1:1"),
        ResourceInfo("1.2.3", "agent-7", "test", PLACE),
        ManualClock(AT),
        Bounds(10**7, 86400.0),
    )
    made = Ledger(database, sent, PLACE)
    await made.register_sites({"buy": "shop"})
    return made


async def test_a_closer_run_moves_the_state_and_no_figure(ledger, database):
    """It is kept, and counts for failures in a row, for going down and for incidents; no slot, no
    total, no day and no histogram has it, and of its counters beacons alone."""
    audit = Audit(counts={BeaconAction.ESCAPED: {"Acme": 1}})
    failed = a_run(an_attempt(Result.FAIL, audit=audit), request=a_request(location=PLACE))
    closer = replace(failed, closer=True)
    turns = [
        await ledger.finish_closer(replace(closer, run_id=f"run-{n}"), AT + n, AT + n)
        for n in range(3)
    ]
    assert [turn is not None and turn.down for turn in turns] == [False, True, False]
    assert ledger.watched == {"buy_a_mug": 3}

    def look(connection):
        assert not rollups.is_begun(connection)
        assert set(incident.numbers(connection, PLACE)) == {"buy_a_mug"}
        kept = [json.loads(text)["closer"] for text in runs.newest(connection, 9)]
        totals = {total.metric for total in telemetry.totals.read(connection)}
        measured = connection.execute("SELECT count(*) FROM telemetry_histograms").fetchone()[0]
        states = journey_state.read(connection, PLACE)
        return kept, totals, measured, states["buy_a_mug"].consecutive_failures

    assert await database.transaction(look) == ([True] * 3, {"footfall.beacons"}, 0, 3)
    assert not await database.transaction(lambda c: count_slots(c, PLACE))


def slot(number: int = 0, journey: str = "buy") -> Slot:
    return Slot(journey, PLACE, AT + 60 * number)


def journey() -> Journey:
    return a_journey("buy")


def finished(run_id: str, at: float = AT):
    request = a_request(journey(), run_id=run_id, scheduled_at=at)
    return interrupted(request, at, at + 1, "gone")


async def offered(ledger, number=0):
    await ledger.decide([Offer(slot(number))])
    return ids.run_id(slot(number))


async def end(ledger, run):
    await ledger.finish(run, run.ended_at, run.ended_at)


async def books(database):
    """Everything that must agree: slots, slot totals, counters, history, spooled items."""

    def read(connection):
        rows = connection.execute("SELECT state, result, reason FROM slots ORDER BY scheduled_at")
        (spooled,) = connection.execute("SELECT count(*) FROM spool").fetchone()
        return (
            [tuple(filter(None, row)) for row in rows],
            count_slots(connection, PLACE).get("buy"),
            {(t.metric, t.attributes.get("result") or t.attributes.get("reason")): t.value
             for t in telemetry.totals.read(connection)},
            [json.loads(run)["journey"] for run in runs.newest(connection, 10)],
            spooled,
        )  # fmt: skip

    return await database.transaction(read)


EXPECTED = "footfall.schedule.expected"
SKIPPED = "footfall.schedule.skipped"
RUNS = "footfall.journey.runs"


async def test_a_tick_is_written_down_whole(database, ledger):
    """Offers once, skips with their count; all of it is expected."""
    skip = Skip(slot(3), SkipReason.DOWN, count=3, since=slot(1).scheduled_at)
    await ledger.decide([Offer(slot(0)), skip, Offer(slot(0))])
    states, counts, totals, _, _ = await books(database)
    assert states == [("offered",), ("skipped", "down")]
    assert (counts.expected, counts.in_flight, counts.skips) == (4, 1, {SkipReason.DOWN: 3})
    assert totals == {(EXPECTED, None): 4, (SKIPPED, "down"): 3}


async def test_a_slot_that_was_decided_is_not_decided_again(database, ledger):
    """Neither offered nor skipped nor counted a second time."""
    await offered(ledger)
    before = await books(database)
    await ledger.decide([Offer(slot(0)), Skip(slot(0), SkipReason.LATE), Elsewhere(slot(0))])
    assert await books(database) == before


async def test_a_slot_of_another_replica_is_in_no_total(database, ledger):
    """Its row says so and it is decided here; expected and ended it is where its word is given."""
    await ledger.decide([Elsewhere(slot(0)), Offer(slot(1))])
    states, counts, totals, _, _ = await books(database)
    assert states == [("elsewhere",), ("offered",)]
    assert (counts.expected, counts.in_flight) == (1, 1)
    assert totals == {(EXPECTED, None): 1}
    await ledger.decide([Offer(slot(0))])
    assert await ledger.start(ids.run_id(slot(0)), slot(0)) is Fate.ENDED
    assert [left.slot for left in await ledger.unfinished()] == [slot(1)]
    assert await ledger.last_decided() == {"buy": slot(1).scheduled_at}


async def test_a_finished_run_is_in_every_book(database, ledger):
    """Slot, total, counters, history and spool."""
    run_id = await offered(ledger)
    assert await ledger.start(run_id, slot()) is Fate.WALK
    await end(ledger, finished(run_id))
    states, counts, totals, history, spooled = await books(database)
    assert states == [("done", "not_measured")]
    assert (counts.expected, counts.in_flight) == (1, 0)
    assert counts.results == {Result.NOT_MEASURED: 1}
    assert totals == {(EXPECTED, None): 1, (RUNS, "not_measured"): 1}
    assert history == ["buy"]
    assert spooled == 2, "its spans and its log record"


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:1"])
async def test_how_a_journey_stands_moves_with_the_end_of_its_slot(database, endpoint):
    """In the same commit, and also where telemetry goes nowhere."""
    sent = Telemetry(
        database,
        resolve({}, endpoint=endpoint),
        ResourceInfo("1.2.3", "agent-7", "test", PLACE),
        ManualClock(AT),
        Bounds(10**7, 86400.0),
    )
    ledger = Ledger(database, sent, PLACE)
    for number, result in enumerate([Result.PASS, Result.FAIL, Result.NOT_MEASURED]):
        run_id = await offered(ledger, number)
        await ledger.start(run_id, slot())
        run = finished(run_id, slot(number).scheduled_at)
        await end(ledger, replace(run, result=result, error_type=None))
        await end(ledger, replace(run, result=Result.FAIL))
    states = await database.transaction(lambda c: journey_state.read(c, PLACE))
    assert states == {
        "buy": JourneyState(
            1,
            AT + 60,
            Result.FAIL,
            AT + 61,
            AT + 60,
            last_run=AT + 121,
            last_success=AT + 1,
            passes_wanted=2,
        )
    }


async def test_an_older_agents_slots_are_rolled_up_at_the_start(ledger, database):
    """Once: what this agent has rolled up is not counted a second time. Journeys that are gone
    are in no incident any more."""
    await ledger.decide([Skip(slot(0), SkipReason.LATE)])

    def days(connection):
        found = rollups.read(connection, ("buy", PLACE), rollups.DAY, (0.0, AT + 10**6))
        return [day.skipped for day in found.values()]

    await database.transaction(lambda connection: connection.execute("DELETE FROM rollups"))
    for _ in range(2):
        await ledger.take_up({"buy"}, AT)
        assert await database.transaction(days) == [{"late": 1}]
    failed = a_run(an_attempt(Result.FAIL), request=a_request(location=PLACE))
    for number in range(2):
        await ledger.finish_closer(replace(failed, run_id=f"run-{number}"), AT + number, AT)
    await ledger.take_up({"buy"}, AT)
    assert await database.transaction(lambda c: incident.open_ones(c, PLACE)) == []


async def test_the_end_of_a_slot_is_one_commit_with_its_day_and_what_was_seen(database, ledger):
    """By the wall clock of when it was decided; a run that can't be written leaves neither."""
    ahead = 100_000.0
    await ledger.decide([Offer(slot(0))], ahead)
    run_id = ids.run_id(slot(0))
    await ledger.start(run_id, slot())
    run = replace(finished(run_id), result=Result.PASS, error_type=None)
    with pytest.raises(ValueError, match="hexadecimal"):
        await end(ledger, replace(run, trace_id="no hexadecimal number"))
    assert not await database.transaction(rollups.is_begun)
    await end(ledger, run)

    def look(connection):
        found = rollups.read(connection, ("buy", PLACE), rollups.DAY, (0.0, AT + 10**6))
        return list(found), connection.execute("SELECT run_id FROM walks").fetchall()

    (day,), (walk,) = await database.transaction(look)
    assert day == rollups.begin_of(slot(0).scheduled_at - ahead, rollups.DAY)
    assert walk["run_id"] == run_id


async def test_a_run_whose_telemetry_can_not_be_encoded_is_in_none(database, ledger):
    """All or nothing: the slot stays unfinished, nothing is counted, and the error is heard."""
    run_id = await offered(ledger)
    await ledger.start(run_id, slot())
    before = await books(database)
    broken = replace(finished(run_id), trace_id="no hexadecimal number")
    with pytest.raises(ValueError, match="hexadecimal"):
        await end(ledger, broken)
    assert await books(database) == before
    (left,) = await ledger.unfinished()
    assert (left.run_id, left.running) == (run_id, True)
    await end(ledger, finished(run_id))
    assert (await books(database))[1].results == {Result.NOT_MEASURED: 1}


async def test_a_run_ends_once(database, ledger):
    """A second end of the same slot changes no book."""
    run_id = await offered(ledger)
    await ledger.start(run_id, slot())
    await end(ledger, finished(run_id))
    before = await books(database)
    later = replace(finished(run_id), result=Result.PASS, error_type=None)
    await end(ledger, later)
    await ledger.skip(run_id, slot(), SkipReason.SHUTDOWN)
    assert await ledger.start(run_id, slot()) is Fate.ENDED
    assert await books(database) == before


async def test_a_waiting_slot_may_be_skipped(database, ledger):
    """It was expected already, so it is counted as skipped alone."""
    run_id = await offered(ledger)
    await ledger.skip(run_id, slot(), SkipReason.CAPACITY)
    states, counts, totals, history, spooled = await books(database)
    assert states == [("skipped", "capacity")]
    assert (counts.expected, counts.in_flight) == (1, 0)
    assert totals == {(EXPECTED, None): 1, (SKIPPED, "capacity"): 1}
    assert (history, spooled) == ([], 0)


@pytest.mark.parametrize("running", [True, False])
async def test_what_a_killed_agent_left_of_an_unknown_journey_gets_its_word(
    database, ledger, running
):
    """One that waited is down; one that ran is not_measured; none stays in flight."""
    run_id = await offered(ledger)
    if running:
        await ledger.start(run_id, slot())
    (left,) = await ledger.unfinished()
    await ledger.forget(left)
    states, counts, totals, _, _ = await books(database)
    assert states == [("done", "not_measured") if running else ("skipped", "down")]
    assert (counts.expected, counts.in_flight) == (1, 0)
    # The exported counters agree with the table: what was expected has its word there too.
    assert sum(totals.values()) == 2
    assert await ledger.unfinished() == []


async def test_old_rows_go_and_what_is_decided_stays(database, ledger):
    """After 25 h an ended slot's row goes; its total and its decision don't."""
    run_id = await offered(ledger)
    await ledger.skip(run_id, slot(), SkipReason.CAPACITY)
    open_id = await offered(ledger, 1)
    await ledger.prune(AT + 25 * 3600 - 1)
    assert (await books(database))[0] == [("skipped", "capacity"), ("offered",)]
    await ledger.prune(AT + 25 * 3600 + 61)
    states, counts, totals, _, _ = await books(database)
    assert states == [("offered",)], "what has no word is never let go"
    assert counts.expected == 2
    assert totals[EXPECTED, None] == 2
    await ledger.decide([Offer(slot(0))])
    assert (await books(database))[0] == [("offered",)]
    assert await ledger.last_decided() == {"buy": slot(1).scheduled_at}
    assert await ledger.start(open_id, slot()) is Fate.WALK


async def test_a_killed_run_keeps_what_its_worker_had_sent(database, ledger):
    """Finished spans of a killed attempt are spooled with root and attempt."""
    run_id = await offered(ledger)
    await ledger.start(run_id, slot())
    run = finished(run_id)
    span = SpanData("step Open", run.trace_id, "0c" * 8, "0d" * 8, 1, 2)
    attempt = an_attempt(Result.NOT_MEASURED, span_id="0d" * 8, spans=(span,))
    await end(ledger, replace(run, attempts=(attempt,)))

    (items,) = await database.transaction(
        lambda c: c.execute("SELECT items FROM spool WHERE signal = 'traces'").fetchone()
    )
    assert items == 3, "root, attempt and step"


async def test_restarts_are_counted_by_reason(database, ledger):
    """One counter, one word each."""
    for reason in ("max_runs", "max_runs", "worker_lost"):
        await ledger.restarted(reason)
    _, _, totals, _, _ = await books(database)
    name = "footfall.agent.worker_restarts"
    assert totals == {(name, "max_runs"): 2, (name, "worker_lost"): 1}


async def test_a_run_under_which_the_clock_was_set_back_is_no_later_than_now(database, ledger):
    """Its journey's state goes by the clock as it is, and the history has it as the newest."""
    for number in (0, 1):
        run_id = await offered(ledger, number)
        await ledger.start(run_id, slot())
        run = replace(finished(run_id), result=Result.FAIL)
        await ledger.finish(run, AT + number, AT - 3600.0 * number)
    newest, state = await database.transaction(
        lambda c: (runs.newest(c, 1)[0], journey_state.read(c, PLACE)["buy"])
    )
    assert json.loads(newest)["run_id"] == run_id
    assert state.verdict_at == state.last_run == AT - 3600.0
    assert state.failing_since == AT - 1.0
    assert state.is_up(60.0, AT - 3600.0) is False
