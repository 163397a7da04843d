"""From a slot to the collector: what a real daemon's runs look like where they arrive."""

from __future__ import annotations

import time

import aiohttp
import pytest

from tests.support.daemon import LOCATION, Daemon, Home

MEASURED = ("buys", "asks")
BUYS = """
async with run.step("Open the shop"):
    await run.page.goto("/")
async with run.step("Read the stock"):
    async with run.step("Ask"):
        answer = await run.page.evaluate("fetch('/api/products/mug').then(a => a.status)")
    assert answer == 200
"""
ASKS = """
async with run.step("Ask the API"):
    await expect(await run.api.get("/api/products/mug")).to_be_ok()
"""
FAILS = """
async with run.step("Look for what is not there"):
    await run.page.goto("/")
    await expect(run.page.get_by_text("no such text")).to_be_visible(timeout=200)
"""


@pytest.fixture
def home(tmp_path, shop):
    made = Home(tmp_path / "home", {"shop": shop.url}, environment={})
    made.journey("buys", BUYS)
    made.journey("asks", ASKS)
    return made


def roots(otlp):
    """Each run's root span."""
    return [span for span in otlp.spans if span.parent_id is None]


async def seen_by(shop) -> list[dict]:
    async with aiohttp.ClientSession(shop.url) as session, session.get("/demo/seen") as response:
        return (await response.json())["requests"]


async def run_until_both_passed(home) -> Daemon:
    async with Daemon(home) as daemon:
        await daemon.started()
        for name in MEASURED:
            await daemon.finished(name, "pass")
        assert await daemon.terminate() == 0, daemon.story()
    return daemon


@pytest.mark.parametrize("road", ["http", "grpc"])
async def test_a_run_is_one_trace_from_the_slot_to_the_request(home, shop, otlp, rotel, road):
    """journey → attempt → step → request hang together in one trace, and the request that the
    shop saw names exactly that request's span; over HTTP and over gRPC alike."""
    if road == "http":
        home.configure(telemetry={"endpoint": otlp.http_endpoint})
    else:
        home.configure(telemetry={"endpoint": rotel.grpc_endpoint, "protocol": "grpc"})
    daemon = await run_until_both_passed(home)
    finished = {record["run_id"]: record for record in daemon.events("run.finished")}
    await otlp.wait_for(lambda o: len(o.logs) >= len(finished) and len(roots(o)) >= len(finished))

    by_run = {root.attributes["footfall.run.id"]: root for root in roots(otlp)}
    assert by_run.keys() == finished.keys()
    for run_id, root in by_run.items():
        assert root.trace_id == finished[run_id]["trace_id"]
        spans = [span for span in otlp.spans if span.trace_id == root.trace_id]
        check_trace(root, spans, finished[run_id]["journey"])
    check_logs(otlp, finished)

    spans = {span.span_id: span for span in otlp.spans if span.kind == "client"}
    carried = {}
    for request in await seen_by(shop):
        if parent := request["headers"].get("traceparent"):
            _, trace_id, span_id, _ = parent.split("-")
            carried[span_id] = (trace_id, request["path"])
    assert spans.keys() <= carried.keys(), "every client span went over the wire under its id"
    for span_id, span in spans.items():
        trace_id, path = carried[span_id]
        assert span.trace_id == trace_id
        assert span.attributes["url.full"].endswith(path)


def check_trace(root, spans, journey) -> None:
    names = {span.span_id: span for span in spans}
    kinds = {"journey": 0, "attempt": 0, "step": 0, "client": 0}
    above = {"attempt": "journey", "step": ("attempt", "step"), "client": ("step", "attempt")}
    for span in spans:
        kind = "client" if span.kind == "client" else span.name.split(" ")[0]
        kinds[kind] += 1
        assert span.attributes["user_agent.synthetic.type"] == "test"
        assert span.resource["service.name"] == "footfall"
        if span is root:
            continue
        parent = names[span.parent_id]
        parent_kind = parent.name.split(" ")[0]
        assert parent_kind in above[kind], (span.name, parent.name)
        assert parent.start_ns - 5_000_000 <= span.start_ns <= span.end_ns
    assert root.name == f"journey {journey}"
    assert root.attributes["test.suite.name"] == "shop"
    assert root.attributes["footfall.run.trigger"] == "schedule"
    assert kinds["journey"] == 1
    if root.attributes["footfall.result"] == "pass":
        assert kinds["attempt"] == 1
        assert kinds["step"] == (3 if journey == "buys" else 1)
        assert kinds["client"] == (2 if journey == "buys" else 1)
    if journey == "buys":
        ask = next(span for span in spans if span.name == "step Ask")
        assert names[ask.parent_id].name == "step Read the stock"
        fetched = [s for s in spans if s.attributes.get("footfall.request.kind") == "fetch"]
        assert [names[s.parent_id].name for s in fetched] == ["step Ask"]


def check_logs(otlp, finished) -> None:
    """One record a run, and it leads to the trace."""
    of_runs = [log for log in otlp.logs if log.event_name == "footfall.run.finished"]
    told = [log.attributes["footfall.run.id"] for log in of_runs]
    assert sorted(told) == sorted(finished)
    for log in of_runs:
        assert log.trace_id == finished[log.attributes["footfall.run.id"]]["trace_id"]


async def test_metrics_answer_in_promql(home, victoria):
    """Counters, gauges and histograms stand in a real store under the names that alerts use,
    and agree with the agent's own books."""
    home.journey("fails", FAILS)
    home.configure(journey__fails={"confirm": False})
    home.environment = {
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": victoria.otlp_metrics_endpoint,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:1/v1/logs",
    }
    async with Daemon(home) as daemon:
        await daemon.started()
        for name in (*MEASURED, "fails"):
            await daemon.finished(name)
        up = await victoria.wait_for("footfall_journey_up", lambda found: len(found) == 3)
        assert {labels["journey"]: value for labels, value in up} == {
            "buys": 1,
            "asks": 1,
            "fails": 0,
        }
        assert await daemon.terminate() == 0, daemon.story()
    books = home.totals("expected")
    expected = await victoria.wait_for(
        "footfall_schedule_expected_total",
        lambda found: {labels["journey"]: value for labels, value in found} == books,
    )
    assert {labels["location"] for labels, _ in expected} == {LOCATION}
    results = home.rows("SELECT journey, word, total FROM slot_totals WHERE kind = 'result'")
    words = {(row["journey"], row["word"], row["total"]) for row in results}
    # Slots are counted a collection before their runs, so this is what comes last.
    await victoria.wait_for(
        "sum by (journey, result) (footfall_journey_runs_total)",
        lambda found: {(of["journey"], of["result"], value) for of, value in found} == words,
    )
    errors = await victoria.query('footfall_journey_runs_total{journey="fails"}')
    assert [labels["error_type"] for labels, _ in errors] == ["assertion"]
    counted = await victoria.query("footfall_journey_duration_seconds_count")
    for labels, value in counted:
        assert value == home.totals("result")[labels["journey"]]
    buckets = 'footfall_journey_duration_seconds_bucket{le="30",journey="buys"}'
    assert (await victoria.query(buckets))[0][1] == home.totals("result")["buys"]
    steps = await victoria.query("footfall_step_duration_seconds_count")
    assert {(labels["journey"], labels["step"], labels["result"]) for labels, _ in steps} == {
        ("buys", "Open the shop", "pass"),
        ("buys", "Read the stock", "pass"),
        ("buys", "Ask", "pass"),
        ("asks", "Ask the API", "pass"),
        ("fails", "Look for what is not there", "fail"),
    }
    gap = await victoria.query('footfall_journey_interval_seconds{journey="buys"}')
    assert [value for _, value in gap] == [3]
    ((_, last),) = await victoria.query('footfall_journey_last_success_seconds{journey="buys"}')
    assert 0 <= time.time() - last < 60
    assert not await victoria.query('footfall_journey_last_success_seconds{journey="fails"}')
    lateness = await victoria.query("sum(footfall_schedule_lateness_seconds_count)")
    assert lateness[0][1] == sum(home.totals("result").values())


async def test_a_killed_run_keeps_its_root_and_its_finished_steps(home, otlp):
    """Where the worker is lost under a run, the trace has the root, the attempt and every
    step and request that was done by then."""
    for name in MEASURED:
        (home.journeys / f"{name}.py").unlink()
    home.journey(
        "dies",
        """
        async with run.step("Open the shop"):
            await run.page.goto("/")
        async with run.step("Never done"):
            os._exit(9)
        """,
    )
    home.configure(
        telemetry={"endpoint": otlp.http_endpoint}, schedule={"every": "4s"}, workers={"count": 1}
    )
    async with Daemon(home) as daemon:
        await daemon.started()
        told = await daemon.finished("dies")
        assert (told["result"], told["error_type"]) == ("not_measured", "worker_lost")
        await otlp.wait_for(lambda o: any(s.trace_id == told["trace_id"] for s in o.spans))
        spans = {s.name: s for s in otlp.spans if s.trace_id == told["trace_id"]}
        assert await daemon.terminate() == 0, daemon.story()
    assert {"journey dies", "attempt 1", "step Open the shop", "GET"} <= spans.keys()
    assert "step Never done" not in spans
    assert spans["step Open the shop"].parent_id == spans["attempt 1"].span_id
    assert spans["attempt 1"].parent_id == spans["journey dies"].span_id
    assert spans["GET"].parent_id == spans["step Open the shop"].span_id
    assert spans["journey dies"].attributes["footfall.result"] == "not_measured"
    assert "test.case.result.status" not in spans["journey dies"].attributes
    assert not home.processes()


async def test_counters_go_on_after_a_kill(home, otlp):
    """After kill -9 and a restart, cumulative counters are no reset: their start stays and
    their value never falls; the killed run is counted once."""
    home.configure(telemetry={"endpoint": otlp.http_endpoint})
    async with Daemon(home) as first:
        await first.started()
        await first.finished("buys", "pass")
        await first.finished("asks", "pass")
        await otlp.wait_for(lambda o: o.latest("footfall.journey.runs", journey="buys"))
        await first.kill()
    before = otlp.latest("footfall.journey.runs", journey="buys")
    async with Daemon(home) as second:
        await second.started()
        await second.finished("buys", "pass")
        assert await second.terminate() == 0, second.story()
    points = [
        m
        for m in otlp.metrics
        if m.name == "footfall.journey.runs" and m.attributes == before.attributes
    ]
    points.sort(key=lambda point: point.time_ns)
    assert {point.start_ns for point in points} == {before.start_ns}
    assert [p.value for p in points] == sorted(p.value for p in points)
    assert points[-1].value > before.value
    assert len({point.resource["service.instance.id"] for point in points}) == 1
    total = sum(otlp_last.value for otlp_last in latest_points(otlp, "footfall.schedule.expected"))
    assert total == sum(home.totals("expected").values())


def latest_points(otlp, name):
    newest = {}
    for point in sorted(otlp.metrics, key=lambda p: p.time_ns):
        if point.name == name:
            newest[tuple(sorted(point.attributes.items()))] = point
    return newest.values()


async def test_a_collector_that_is_away_costs_only_delay(home, otlp):
    """With nobody listening runs go on, what they emit waits on disk over a restart, and
    arrives, each run once, when the collector is back."""
    home.configure(telemetry={"endpoint": otlp.http_endpoint})
    await otlp.stop()
    async with Daemon(home) as first:
        await first.started()
        await first.finished("buys", "pass")
        await first.kill()
    await otlp.start()
    async with Daemon(home) as second:
        await second.started()
        await second.finished("buys", "pass")
        ids = {run["run_id"] for run in home.runs()}
        await otlp.wait_for(
            lambda o: ids <= {log.attributes["footfall.run.id"] for log in o.logs}, 90
        )
        assert await second.terminate() == 0, second.story()
    told = [log.attributes["footfall.run.id"] for log in otlp.logs]
    assert sorted(told) == sorted({run["run_id"] for run in home.runs()})
    assert sorted(root.attributes["footfall.run.id"] for root in roots(otlp)) == sorted(told)
