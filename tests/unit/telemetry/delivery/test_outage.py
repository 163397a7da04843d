from __future__ import annotations

import asyncio
import random

import pytest

from agent.core import names
from agent.core.results import Result
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.telemetry import Telemetry
from tests.support.collector import drained, run_ids

HOURS = 4
INTERVAL = 60.0
RUNS_EACH = 2
"""Runs that end between two collections of the metrics."""
PAST = [f"past-{number}" for number in range(550)]


async def to_the_end(waiting, clock, signal):
    """Let every pause pass at once until nothing waits."""
    async with asyncio.timeout(60):
        while await waiting(signal):
            clock.advance(1.0)


async def test_hours_without_a_collector_cost_nothing_but_delay(
    collector, database, identity, clock, make_run, waiting
):
    """Four hours of runs and of metrics arrive once each, dated when they were made."""
    collector.answers = {signal.value: [(503, {}, b"")] * 10_000 for signal in Signal}
    export = resolve({}, endpoint=collector.url, interval=INTERVAL)
    telemetry = Telemetry(database, export, identity, clock, Bounds(512 << 20, 86400.0))
    begun = clock.wall()
    await telemetry.start()
    put = []
    collections = int(HOURS * 3600 / INTERVAL)
    for number in range(collections):
        runs = [make_run(Result.PASS, run_id=f"{number}-{each}") for each in range(RUNS_EACH)]
        put += [run.run_id for run in runs]

        def record(connection, runs=runs):
            for run in runs:
                telemetry.record_run(connection, run)

        await database.transaction(record)
        for run in runs:
            telemetry.observe_run(run)
        await clock.sleeping(INTERVAL)
        clock.advance(INTERVAL)
    await clock.sleeping(INTERVAL)
    collector.answers.clear()
    for signal in Signal:
        await to_the_end(waiting, clock, signal)
    await telemetry.stop(5.0)

    arrived = run_ids(collector.taken["traces"])
    assert sorted(arrived) == sorted(put)
    # The lane may have been trying just then whether its first or any other is at fault.
    tried = {arrived[0], put[0]}
    in_order = [[one for one in runs if one not in tried] for runs in (arrived, put)]
    assert in_order[0] == in_order[1]
    logs = [
        record
        for request in collector.taken["logs"]
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]
    assert len(logs) == len(put)
    times = [_time(request) for request in collector.taken["metrics"]]
    assert sorted(times)[:collections] == [
        int((begun + INTERVAL * (number + 1)) * 1e9) for number in range(collections)
    ]
    assert _runs(collector.taken["metrics"][-1]) == len(put)


async def test_what_comes_in_takes_turns_with_what_piled_up(collector, put, start, waiting, clock):
    """After an outage a new run waits for a request or two, not for hours of the past."""
    collector.answers["traces"] = [(503, {}, b"")]
    await put(*PAST)
    sender = start(collector.url)
    await clock.asked(1)
    collector.permits = asyncio.Semaphore(1)
    clock.advance(1.0)
    await _in_turn(collector, put, sender, waiting)


async def test_what_was_found_at_the_start_takes_turns_too(collector, put, start, waiting):
    """An agent that starts on a full spool tells of the present at once."""
    await put(*PAST)
    collector.permits = asyncio.Semaphore(1)
    await _in_turn(collector, put, start(collector.url), waiting)


async def _in_turn(collector, put, sender, waiting):
    """Put a run after each request of the past, and see when it arrives."""
    taken = collector.taken["traces"]
    await collector.until(lambda: len(taken) == 1)
    for live in ("live-0", "live-1"):
        await put(live)
        sender.wake()
        before = len(taken)
        for _ in range(2):
            # One was on its way before the run was there.
            collector.permits.release()
        await collector.until(lambda before=before: len(taken) == before + 2)
        assert live in run_ids(taken[before:])
        assert await waiting(Signal.TRACES) > 4 * 100
    for _ in PAST:
        collector.permits.release()
    await drained(waiting, Signal.TRACES)
    assert [one for one in run_ids(taken) if one.startswith("past")] == PAST


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_answered_nothing_within_bounds_is_lost(
    seed, protocol, collector, put, start, waiting, clock, books
):
    """Flapping, throttling, failing, rejecting in any mix: each run once, and in order."""
    dice = random.Random(seed)
    statuses = [200, 401, 403, 404, 429, 503]
    answers = [dice.choice(statuses) for _ in range(40)]
    headers = {"Retry-After": "30"} if protocol != "grpc" else {}
    if protocol == "grpc":
        answers = [503 if status == 429 else status for status in answers]
    collector.answers["traces"] = [(status, headers, b"") for status in answers]
    numbers = [str(number) for number in range(120)]
    collector.refused = set(dice.sample(numbers, 4))
    sender = start(collector.grpc_url if protocol == "grpc" else collector.url, protocol)
    for first in range(0, 120, 20):
        await put(*numbers[first : first + 20])
        sender.wake()
        clock.advance(600.0)
    await to_the_end(waiting, clock, Signal.TRACES)
    arrived = run_ids(collector.taken["traces"])
    wanted = [one for one in numbers if one not in collector.refused]
    assert sorted(arrived, key=int) == wanted
    assert await books(names.SPOOL_DROPPED) == {"traces": 16}
    assert (await books(names.SPOOL_SENT))["traces"] == 4 * 116


async def test_an_answer_that_never_came_is_the_only_cause_of_a_double(
    collector, put, start, waiting, clock, books
):
    """Cut off after it was read, a request is sent again whole; the books count it once."""
    collector.cut = 2
    await put("1", "2")
    start(collector.url)
    await to_the_end(waiting, clock, Signal.TRACES)
    await to_the_end(waiting, clock, Signal.LOGS)
    counts = {run_id: run_ids(collector.taken["traces"]).count(run_id) for run_id in ("1", "2")}
    assert set(counts.values()) <= {1, 2, 3}
    assert sum(counts.values()) + _records(collector) == 2 + 2 + 2 * 2
    assert await books(names.SPOOL_SENT) == {"traces": 8, "logs": 2}


def _records(collector):
    return sum(
        len(scope.log_records)
        for request in collector.taken["logs"]
        for resource in request.resource_logs
        for scope in resource.scope_logs
    )


def _points(request, name):
    return [
        point
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.sum.data_points
    ]


def _time(request):
    return _points(request, names.RUNS)[0].time_unix_nano


def _runs(request):
    return sum(point.as_int for point in _points(request, names.RUNS))
