from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from agent.core import names
from agent.core.clock import SystemClock
from agent.core.gate import GateEnd, GateOrder, GateVerdict
from agent.core.model import SkipReason, Slot, Trigger
from agent.core.results import Result, Step, StepOutcome
from agent.core.suspension import Cause, Mode
from agent.schedule.suspensions import Mark
from agent.storage import certificates, journey_state
from agent.storage.database import Database
from agent.storage.run_end import RunEnd
from agent.telemetry.catalogue import CATALOGUE
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.steps import STEP_NAMES
from agent.telemetry.telemetry import SCHEMA, Telemetry
from tests.support.build import a_site

BOUNDS = Bounds(size=10**7, age=86400.0)
SLOT = Slot("buy_a_mug", "eu-west-1", 1_800_000_000.0)
OF_JOURNEY = {"journey": "buy_a_mug", "site": "shop", "location": "eu-west-1"}


@pytest.fixture
async def start(collector, database, identity, clock):
    """Starts the station on a database; every one started is stopped at the end."""
    started = []

    async def start(on=database, **environment):
        export = resolve(environment, endpoint=collector.url)
        telemetry = Telemetry(on, export, identity, clock, BOUNDS)
        await telemetry.start()
        started.append(telemetry)
        return telemetry

    yield start
    for telemetry in started:
        await telemetry.stop(1.0)


async def record(database, telemetry, *runs):
    """Write runs down as the ledger does: with the state of their journey."""

    def write(connection, run):
        telemetry.record_run(connection, run)
        if run.trigger is Trigger.SCHEDULE:
            journey_state.note(connection, RunEnd.of(run, run.ended_at))
            met = (one for attempt in run.attempts for one in attempt.certificates)
            certificates.note(connection, met, run.ended_at)

    for run in runs:
        await database.transaction(lambda c, run=run: write(c, run))
        telemetry.observe_run(run)


def metrics(request):
    return {
        metric.name: metric
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def values(request, name):
    """Sums or gauges as {attribute values: value}; {} where the metric is missing."""
    metric = metrics(request).get(name)
    if metric is None:
        return {}
    data = getattr(metric, metric.WhichOneof("data"))
    return {
        tuple(pair.value.string_value for pair in sorted(point.attributes, key=lambda p: p.key)): (
            getattr(point, point.WhichOneof("value"))
        )
        for point in data.data_points
    }


def dated(request):
    """When a collection was made, in Unix nanoseconds."""
    return max(
        point.time_unix_nano
        for metric in metrics(request).values()
        for point in getattr(metric, metric.WhichOneof("data")).data_points
    )


async def collect(collector, clock):
    """Let an interval pass and return the collection that follows, not one of news before it."""
    await clock.sleeping(15.0)
    clock.advance(15.0)
    now, taken = int(clock.wall() * 1e9), collector.taken["metrics"]
    await collector.until(lambda: taken and dated(taken[-1]) >= now)
    return taken[-1]


async def test_a_run_leaves_its_spans_its_record_and_its_counts(
    collector, database, start, clock, make_run
):
    """One transaction a run, and all three signals of it arrive."""
    telemetry = await start()
    await record(database, telemetry, make_run(Result.FLAKY))
    await collector.until(lambda: collector.taken["traces"] and collector.taken["logs"])
    request = await collect(collector, clock)
    where = ("buy_a_mug", "eu-west-1")
    assert values(request, names.RUNS) == {("assertion", *where, "flaky", "shop"): 1}
    assert values(request, names.ATTEMPTS) == {
        ("assertion", *where, "fail", "shop"): 1,
        (*where, "pass", "shop"): 1,
    }
    assert values(request, names.REQUESTS) == {
        (*where, "ok", "first", "shop"): 6,
        (*where, "failed", "third", "shop"): 2,
    }


@pytest.mark.parametrize("trigger", [Trigger.ONCE, Trigger.TEST])
async def test_only_the_schedule_feeds_the_journey_metrics(
    trigger, collector, database, start, clock, journey, make_run
):
    """A run by hand leaves spans and a record, and moves neither counters nor gauges."""
    telemetry = await start()
    telemetry.watch([journey])
    await record(database, telemetry, make_run(Result.FAIL, trigger=trigger))
    await collector.until(lambda: collector.taken["traces"] and collector.taken["logs"])
    found = metrics(await collect(collector, clock))
    assert {name for name in found if not name.startswith("footfall.spool.")} == {names.INTERVAL}


async def test_counters_survive_a_new_agent_on_the_same_state(
    collector, database, start, clock, make_run
):
    """A restart is no reset: same sum, same start time, and it goes on from there."""
    first = await start()
    await record(database, first, make_run())
    one = await collect(collector, clock)
    await first.stop(1.0)
    clock.advance(1000.0)
    second = await start()
    await record(database, second, make_run())
    two = await collect(collector, clock)
    assert list(values(one, names.RUNS).values()) == [1]
    assert list(values(two, names.RUNS).values()) == [2]
    starts = {
        metrics(request)[names.RUNS].sum.data_points[0].start_time_unix_nano
        for request in (one, two)
    }
    assert starts == {1_800_000_000 * 10**9}


def leads_to(request):
    """The runs that stand for the series of the counter of runs: {result: (trace, span)}."""
    if names.RUNS not in metrics(request):
        return {}
    return {
        pair.value.string_value: [(e.trace_id.hex(), e.span_id.hex()) for e in point.exemplars]
        for point in metrics(request)[names.RUNS].sum.data_points
        for pair in point.attributes
        if pair.key == names.RESULT
    }


async def test_a_count_leads_to_its_last_run_once(collector, database, start, clock, make_run):
    """Each series of the counter names the last run it counted, in one collection only."""
    telemetry = await start()
    older, newer, failed = (
        make_run(result, trace_id=f"{n}a" * 16, span_id=f"{n}b" * 8)
        for n, result in enumerate((Result.PASS, Result.PASS, Result.FAIL))
    )
    await record(database, telemetry, older, newer, failed)
    for _ in range(2):
        await collect(collector, clock)
    await record(database, telemetry, older)
    await collect(collector, clock)
    told = [leads_to(request) for request in collector.taken["metrics"]]
    passed = [pair for each in told for pair in each.get("pass", [])]
    assert passed == [(run.trace_id, run.span_id) for run in (newer, older)]
    assert [pair for each in told for pair in each.get("fail", [])] == [
        (failed.trace_id, failed.span_id)
    ]


async def test_a_killed_agents_last_run_is_led_to_by_the_next(
    collector, database, start, clock, make_run
):
    """What was counted and never collected keeps its exemplar, as it keeps its count."""
    run = make_run(Result.FAIL)
    killed = await start()
    await database.transaction(lambda connection: killed.record_run(connection, run))
    second = await start()
    await second.stop(3.0)
    assert leads_to(collector.taken["metrics"][-1]) == {"fail": [(run.trace_id, run.span_id)]}
    third = await start()
    await third.stop(3.0)
    assert leads_to(collector.taken["metrics"][-1]) == {"fail": []}


async def test_what_waits_in_the_spool_keeps_its_exemplars(
    collector, database, start, clock, make_run
):
    """Collections of an outage arrive as they were made, each with the run it had counted."""
    away = await start(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="http://127.0.0.1:9/")
    runs = [make_run(trace_id=f"{n}a" * 16, span_id=f"{n}b" * 8) for n in range(2)]
    for run in runs:
        await record(database, away, run)
        await clock.sleeping(15.0)
        clock.advance(15.0)
        await clock.sleeping(15.0)
    await away.stop(0.1)
    back = await start()
    await back.stop(5.0)
    told = [pair for request in collector.taken["metrics"] for pair in leads_to(request)["pass"]]
    assert told == [(run.trace_id, run.span_id) for run in runs]


def stepping(run, first, count):
    """The run with so many steps whose names it made up."""
    (attempt,) = run.attempts
    steps = tuple(Step(f"Step {first + n}", StepOutcome.PASS, 0.1) for n in range(count))
    return replace(run, attempts=(replace(attempt, steps=steps),))


def step_labels(request):
    return {
        pair.value.string_value: point.count
        for point in metrics(request)[names.STEP_DURATION].histogram.data_points
        for pair in point.attributes
        if pair.key == names.STEP
    }


async def test_made_up_step_names_are_bounded_over_restarts(
    collector, database, start, clock, make_run
):
    """A restart opens no room for another fifty names, known ones go on, and the log tells."""
    first = await start()
    await record(database, first, stepping(make_run(), 0, STEP_NAMES - 1))
    one = step_labels(await collect(collector, clock))
    await first.stop(1.0)
    second = await start()
    with capture_logs() as lines:
        await record(database, second, stepping(make_run(), STEP_NAMES - 2, 9))
    two = step_labels(await collect(collector, clock))
    assert len(one) == STEP_NAMES - 1
    assert two == {**one, "Step 48": 2, "Step 49": 1, names.OTHER_STEP: 7}
    (line,) = [line for line in lines if line["event"] == "steps.bounded"]
    assert (line["log_level"], line["journey"], line["step"]) == (
        "warning", "buy_a_mug", "Step 50",
    )  # fmt: skip


async def test_step_names_that_are_gone_make_room(collector, database, start, clock, make_run):
    """A day after a journey was rewritten, a restart counts its new steps by name."""
    first = await start()
    await record(database, first, stepping(make_run(), 0, STEP_NAMES))
    await collect(collector, clock)
    await first.stop(1.0)
    later = make_run().ended_at + 2 * 86_400
    clock.advance(2 * 86_400)
    second = await start()
    await record(database, second, stepping(make_run(ended_at=later), 100, 2))
    assert set(step_labels(await collect(collector, clock))) == {"Step 100", "Step 101"}


async def test_a_transaction_that_fails_counts_nothing(collector, database, start, clock, make_run):
    """Totals, state and spool stand or fall with the result they belong to."""
    telemetry = await start()

    def work(connection):
        telemetry.record_run(connection, make_run())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.transaction(work)
    assert names.RUNS not in metrics(await collect(collector, clock))
    assert collector.taken["traces"] == []


async def test_the_slots_book(collector, database, start, clock):
    """Expected and skipped slots are counted; lateness is measured and never negative."""
    telemetry = await start()

    def work(connection):
        telemetry.record_expected(connection, SLOT, "shop")
        telemetry.record_expected(connection, SLOT, "shop")
        telemetry.record_skip(connection, SLOT, "shop", SkipReason.OVERRUN)
        telemetry.record_restart(connection, "max_memory")

    await database.transaction(work)
    telemetry.observe_lateness(SLOT, "shop", 0.02)
    telemetry.observe_lateness(SLOT, "shop", -0.5)
    request = await collect(collector, clock)
    assert values(request, names.SCHEDULE_EXPECTED) == {("buy_a_mug", "eu-west-1", "shop"): 2}
    assert values(request, names.SCHEDULE_SKIPPED) == {
        ("buy_a_mug", "eu-west-1", "overrun", "shop"): 1
    }
    assert values(request, names.AGENT_WORKER_RESTARTS) == {("max_memory",): 1}
    (lateness,) = metrics(request)[names.SCHEDULE_LATENESS].histogram.data_points
    assert (lateness.count, lateness.min, lateness.max) == (2, 0.0, 0.02)


async def test_the_gauges_of_a_journey(collector, database, start, clock, journey, make_run):
    """Up and failures in a row while the verdict is fresh; the rest as long as it is watched."""
    telemetry = await start()
    telemetry.watch([journey])
    await record(database, telemetry, make_run(Result.FAIL), make_run(Result.FAIL))
    key = ("buy_a_mug", "eu-west-1", "shop")
    request = await collect(collector, clock)
    assert values(request, names.UP) == {key: 0}
    assert values(request, names.CONSECUTIVE_FAILURES) == {key: 2}
    assert values(request, names.LAST_RUN) == {key: 1_800_000_008.0}
    assert values(request, names.LAST_SUCCESS) == {}
    assert values(request, names.INTERVAL) == {key: 60.0}

    await record(database, telemetry, make_run(Result.FLAKY))
    request = await collect(collector, clock)
    assert values(request, names.UP) == {key: 1}
    assert values(request, names.LAST_SUCCESS) == {key: 1_800_000_008.0}

    await clock.sleeping(15.0)
    before = len(collector.taken["metrics"])
    clock.advance(300.0)
    await collector.until(lambda: len(collector.taken["metrics"]) > before)
    found = metrics(await collect(collector, clock))
    assert names.UP not in found
    assert names.CONSECUTIVE_FAILURES not in found
    assert names.LAST_RUN in found


async def test_removed_and_disabled_journeys_leave_no_gauges(
    collector, database, start, clock, journey, make_run
):
    """After a reload, what is no longer watched is no longer shown."""
    telemetry = await start()
    telemetry.watch([journey])
    await record(database, telemetry, make_run())
    assert names.UP in metrics(await collect(collector, clock))
    telemetry.watch([replace(journey, enabled=False)])
    found = metrics(await collect(collector, clock))
    assert not {names.UP, names.LAST_RUN, names.LAST_SUCCESS, names.INTERVAL} & set(found)
    assert names.RUNS in found


async def test_a_gap_that_is_not_the_interval(collector, start, clock, journey):
    """For a cron line the gap to the next slot is what the schedule says it is."""
    telemetry = await start()
    telemetry.watch([journey], lambda _: 7200.0)
    request = await collect(collector, clock)
    assert list(values(request, names.INTERVAL).values()) == [7200.0]


async def test_gauges_of_the_agent(collector, start, clock):
    """The composition root's gauges are asked at each collection; a broken one stands alone."""
    telemetry = await start()
    depth = iter([3, 5])
    telemetry.gauge(names.AGENT_QUEUE_DEPTH, lambda: [({}, next(depth))])
    telemetry.gauge(names.AGENT_MEMORY, lambda: [({}, 1 / 0)])
    with capture_logs() as lines:
        first = await collect(collector, clock)
        second = await collect(collector, clock)
    assert [values(r, names.AGENT_QUEUE_DEPTH) for r in (first, second)] == [{(): 3}, {(): 5}]
    assert names.AGENT_MEMORY not in metrics(first)
    assert [line["metric"] for line in lines] == [names.AGENT_MEMORY] * 2
    telemetry.gauge(names.AGENT_QUEUE_DEPTH, list)


def test_an_unpublished_gauge_is_refused(identity, clock):
    """A name that is not in the catalogue never leaves the agent."""
    telemetry = Telemetry(None, None, identity, clock, BOUNDS)
    with pytest.raises(ValueError, match=r"footfall\.agent\.mood"):
        telemetry.gauge("footfall.agent.mood", list)


async def test_the_spools_own_gauges(collector, database, start, clock, make_run):
    """What waits is seen from outside: how much, and since when."""
    telemetry = await start(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://127.0.0.1:9/")
    await record(database, telemetry, make_run())
    request = await collect(collector, clock)
    assert values(request, names.SPOOL_ITEMS)[("traces",)] == 4
    assert values(request, names.SPOOL_OLDEST_AGE)[("traces",)] == 15.0
    assert values(request, names.SPOOL_BYTES)[("traces",)] > 100
    assert (await telemetry.backlog())[Signal.TRACES].items == 4


@pytest.mark.parametrize("step", [3 * 86_400.0, -3 * 86_400.0])
async def test_a_clock_that_is_set_makes_nothing_old(
    collector, database, start, clock, make_run, step
):
    """By three days, to and fro: what waits is as old as it is, and none of it is dropped."""
    telemetry = await start(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://127.0.0.1:9/")
    for number, moved in enumerate((0.0, step, -step)):
        clock.step(moved)
        await record(database, telemetry, make_run(run_id=f"run-{number}"))
    request = await collect(collector, clock)
    assert values(request, names.SPOOL_ITEMS)[("traces",)] == 12
    assert values(request, names.SPOOL_OLDEST_AGE)[("traces",)] == 15.0
    assert "spool_age" not in telemetry.condition().detail


async def test_stop_sends_the_last_counts(collector, database, start, make_run):
    """What was counted since the last collection is not lost with the agent."""
    telemetry = await start()
    await record(database, telemetry, make_run())
    await telemetry.stop(3.0)
    assert list(values(collector.taken["metrics"][-1], names.RUNS).values()) == [1]
    assert telemetry.tasks == ()


async def test_what_no_collector_took_is_sent_by_the_next_agent(
    collector, tmp_path, identity, clock, make_run
):
    """The spool outlives the process: another one on the same file delivers it."""
    path = tmp_path / "other.db"
    for endpoint in ("http://127.0.0.1:9", collector.url):
        database = Database(path, [SCHEMA], SystemClock())
        await database.open()
        telemetry = Telemetry(database, resolve({}, endpoint=endpoint), identity, clock, BOUNDS)
        await telemetry.start()
        if endpoint != collector.url:
            await record(database, telemetry, make_run())
        await telemetry.stop(3.0)
        await database.close()
    assert len(collector.taken["traces"]) == 1
    assert len(collector.taken["metrics"]) == 2


async def test_without_an_export_nothing_is_kept(database, identity, clock, journey, make_run):
    """On a laptop without an endpoint the station is silent, whatever it is told."""
    telemetry = Telemetry(database, None, identity, clock, BOUNDS)
    await telemetry.start()
    telemetry.watch([journey])
    await record(database, telemetry, make_run())
    await database.transaction(lambda c: telemetry.record_expected(c, SLOT, "shop"))
    telemetry.observe_lateness(SLOT, "shop", 1.0)
    assert telemetry.tasks == ()
    await telemetry.stop(1.0)

    def rows(connection):
        tables = ("spool", "telemetry_totals", "telemetry_epoch")
        return [connection.execute(f"SELECT COUNT(*) FROM {t}").fetchone()[0] for t in tables]

    assert await database.transaction(rows) == [0, 0, 0]


async def test_the_environment_speaks_for_the_resource(collector, start, clock):
    """``OTEL_*`` wins over the agent's own words, and leaves the rest of them."""
    await start(OTEL_SERVICE_NAME="walker", OTEL_RESOURCE_ATTRIBUTES="team=shop")
    request = await collect(collector, clock)
    found = {
        pair.key: pair.value.string_value
        for pair in request.resource_metrics[0].resource.attributes
    }
    assert found["service.name"] == "walker"
    assert found["team"] == "shop"
    assert found["service.instance.id"] == "agent-7"
    assert found["service.version"] == "1.2.3"
    assert found["deployment.environment.name"] == "production"


async def test_all_that_is_emitted_is_in_the_catalogue(
    collector, database, start, clock, journey, make_run
):
    """Names, units, kinds and attributes on the wire are those of the published table."""
    telemetry = await start()
    telemetry.watch([replace(journey, site=a_site("https://127.0.0.1:1"))])
    slow = replace(make_run(), journey=replace(journey, slow=0.001))
    await record(database, telemetry, slow, *(make_run(result) for result in Result))

    def work(connection):
        telemetry.record_expected(connection, SLOT, "shop")
        telemetry.record_skip(connection, SLOT, "shop", SkipReason.DOWN)
        telemetry.record_restart(connection, "max_memory")
        telemetry.record_gate(connection, gate)

    order = GateOrder("shop", ("buy",))
    gate = GateEnd("g", order, "eu", GateVerdict.PASS, (), 1.0, 5.0, "1" * 32, "2" * 16)
    await database.transaction(work)
    telemetry.observe_lateness(SLOT, "shop", 0.1)
    telemetry.gauge(names.AGENT_WORKERS, lambda: [({"state": "idle"}, 1)])
    plain = (names.AGENT_QUEUE_DEPTH, names.AGENT_MEMORY, names.AGENT_PROCESSES)
    more = (names.REPLICAS, names.AGENT_DRAINING)
    for name in (*plain, *more, names.RELOAD_SUCCESS, names.RELOAD_TIME):
        telemetry.gauge(name, lambda: [({}, 1)])
    mark = Mark(Cause.PAUSE, Mode.STOP, is_open=True)
    telemetry.tell_suspended(lambda *_: {mark: True})
    await collector.until(lambda: collector.taken["traces"])
    await collect(collector, clock)
    found = metrics(await collect(collector, clock))
    # Nothing was lost here, so nothing is said about losses.
    assert set(found) == set(CATALOGUE) - {names.SPOOL_DROPPED}
    kinds = {"sum": "counter", "gauge": "gauge", "histogram": "histogram"}
    for name, metric in found.items():
        published = CATALOGUE[name]
        kind = metric.WhichOneof("data")
        assert (kinds[kind], metric.unit) == (published.kind, published.unit)
        assert metric.description == published.description
        for point in getattr(metric, kind).data_points:
            given = {pair.key: pair.value.string_value for pair in point.attributes}
            assert set(given) <= set(published.attributes)
            assert set(given) >= set(published.attributes) - published.optional
            for key, value in given.items():
                allowed = published.attributes[key]
                assert allowed is None or value in allowed


@pytest.mark.parametrize(
    ("table", "set_to"),
    [
        ("telemetry_totals", "attributes = substr(attributes, 2)"),
        ("telemetry_totals", "value = 'many'"),
        ("telemetry_steps", "seen_at = 'late'"),
        ("journey_state", "verdict = 'pest'"),
        ("spool", "signal = 'trades'"),
        ("spool", "payload = 'text'"),
    ],
)
async def test_a_value_that_damage_made_senseless_is_left_behind(
    tmp_path, collector, identity, clock, make_run, table, set_to
):
    """No agent dies of it, start after start: the file counts as damaged, the rest goes on."""
    path = tmp_path / "spoiled.db"
    for endpoint in ("http://127.0.0.1:9", collector.url):
        database = Database(path, [SCHEMA], SystemClock())
        await database.open()
        telemetry = Telemetry(database, resolve({}, endpoint=endpoint), identity, clock, BOUNDS)
        await telemetry.start()
        await record(database, telemetry, make_run())
        if endpoint == collector.url:
            await collect(collector, clock)
            assert not any(task.done() for task in telemetry.tasks)
        await telemetry.stop(1.0)

        def spoil(connection):
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(f"UPDATE {table} SET {set_to}")

        if endpoint != collector.url:
            await database.transaction(spoil)
        await database.close()
    assert values(collector.taken["metrics"][-1], names.RUNS)
    assert len(list(tmp_path.glob("spoiled.db.damaged-*Z"))) == 1


async def test_a_collection_that_fails_is_told_and_the_next_goes_on(
    collector, database, start, clock, make_run
):
    """Nothing about the metrics ends the task that collects them, and so the agent."""
    telemetry = await start()
    await record(database, telemetry, make_run())
    await clock.sleeping(15.0)
    rename = "ALTER TABLE telemetry_totals RENAME TO {}"
    await database.transaction(lambda c: c.execute(rename.format("away")))
    with capture_logs() as lines:
        clock.advance(15.0)
        await clock.sleeping(15.0)
    assert "telemetry.uncollected" in [line["event"] for line in lines]
    await database.transaction(lambda c: c.execute("ALTER TABLE away RENAME TO telemetry_totals"))
    assert values(await collect(collector, clock), names.RUNS)
    assert not any(task.done() for task in telemetry.tasks)


async def test_times_are_cumulative_over_a_kill(
    collector, database, identity, clock, start, make_run
):
    """What a killed agent had measured is in the next one's histograms, collected or not."""
    killed = await start()
    await record(database, killed, make_run(), make_run())
    await collect(collector, clock)
    await record(database, killed, make_run())
    for task in killed.tasks:
        task.cancel()
    await asyncio.gather(*killed.tasks, return_exceptions=True)
    second = await start()
    await record(database, second, make_run())
    request = await collect(collector, clock)
    (point,) = metrics(request)[names.DURATION].histogram.data_points
    (runs,) = values(request, names.RUNS).values()
    assert point.count == runs == 4


async def test_a_run_that_cannot_be_encoded_still_has_its_root(
    collector, database, start, make_run, monkeypatch
):
    """What breaks an encoder costs the spans below the root, never the run's end."""
    telemetry = await start()
    run = make_run()
    (attempt,) = run.attempts
    broken = replace(attempt.spans[0], trace_id="no hex")
    with capture_logs() as lines:
        await record(
            database, telemetry, replace(run, attempts=(replace(attempt, spans=(broken,)),))
        )
    assert [line["event"] for line in lines] == ["telemetry.unencodable"]
    await collector.until(lambda: collector.taken["traces"])
    (request,) = collector.taken["traces"]
    ((span,),) = [scope.spans for r in request.resource_spans for scope in r.scope_spans]
    assert span.name == "journey buy_a_mug"
