"""What is too large for a collector goes in pieces, and loses next to nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agent.core import names
from agent.core.results import SpanData
from agent.telemetry import logs, spans
from agent.telemetry.delivery.pieces import halve, shorten
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.resource import describe
from tests.support import signals

PROTOCOLS = ["http/protobuf", "grpc"]
FLATTEN = {"traces": signals.spans, "metrics": signals.metrics, "logs": signals.logs}


def metrics_of(points, scopes=2):
    """A collection with gauges, counters and histograms, so many points of each."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "footfall"
    for number in range(scopes):
        scope = resource.scope_metrics.add()
        scope.scope.name = f"scope {number}"
        for kind in ("gauge", "sum", "histogram"):
            metric = scope.metrics.add(name=f"{kind} {number}", unit="s", description="d")
            data = getattr(metric, kind)
            if kind != "gauge":
                data.aggregation_temporality = 2
            if kind == "sum":
                data.is_monotonic = True
            for at in range(points):
                point = data.data_points.add(time_unix_nano=at + 1)
                point.attributes.add(key="journey").value.string_value = f"j{at}"
                if kind == "histogram":
                    point.count = at
                    point.bucket_counts.append(at)
                else:
                    point.as_int = at
    return request


def big_run(make_run, requests, size):
    """A run that made so many requests to addresses of such a length."""
    run = make_run()
    attempt = run.attempts[0]
    made = tuple(
        SpanData(
            "GET", run.trace_id, f"{number:016x}", attempt.span_id, 1, 2, "client",
            attributes={"url.full": f"http://shop.test/?{number}&{'q' * size}"},
        )
        for number in range(1, requests + 1)
    )  # fmt: skip
    artifacts = ("a" * 9000,) * 9000
    attempt = replace(attempt, spans=(*made, *attempt.spans), artifacts=artifacts)
    return replace(run, attempts=(attempt,), error="e" * 100_000)


@pytest.fixture
def spooled(database, spool, identity):
    """Puts any payload into the spool."""

    async def put(signal, payload, items):
        await database.transaction(lambda c: spool.put(c, signal, payload, items, 0.0))

    return put


async def to_the_end(waiting, clock, signal):
    async with asyncio.timeout(30):
        while await waiting(signal):
            clock.advance(1.0)


def arrived(collector, signal):
    return [item for request in collector.taken[signal] for item in FLATTEN[signal](request)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("limit", [200, 3000, 20_000])
async def test_a_collection_goes_down_to_single_points(
    limit, protocol, collector, spooled, start, waiting, clock, books
):
    """Whatever the limit, each point arrives once, whole, and in order."""
    request = metrics_of(60)
    payload = request.SerializeToString()
    whole = list(signals.metrics(request))
    collector.limits["metrics"] = limit
    await spooled(Signal.METRICS, payload, len(whole))
    start(collector.grpc_url if protocol == "grpc" else collector.url, protocol)
    await to_the_end(waiting, clock, Signal.METRICS)
    assert arrived(collector, "metrics") == whole
    assert await books(names.SPOOL_DROPPED) == {}
    assert await books(names.SPOOL_SENT) == {"metrics": len(whole)}


async def test_a_limit_is_learnt(collector, spooled, start, waiting, clock):
    """A second collection of the size is taken apart at once, not asked about again."""
    payload, items = metrics_of(60).SerializeToString(), 360
    collector.limits["metrics"] = 3000
    await spooled(Signal.METRICS, payload, items)
    sender = start(collector.url)
    await to_the_end(waiting, clock, Signal.METRICS)
    first = collector.calls["metrics"]
    await spooled(Signal.METRICS, payload, items)
    sender.wake()
    await to_the_end(waiting, clock, Signal.METRICS)
    assert collector.calls["metrics"] - first < first
    assert len(arrived(collector, "metrics")) == 2 * items


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("limit", [1200, 64 << 10])
async def test_a_run_of_long_addresses_keeps_its_root(  # noqa: PLR0917 - fixtures
    limit, protocol, collector, spooled, make_run, identity, start, waiting, clock, books
):
    """However long its addresses, errors and lists are, a run's spans fit one by one."""
    payload, items = spans.encode_run(big_run(make_run, 650, 7000), describe(identity, {}), "1")
    assert len(payload) < 4 << 20, "what gRPC takes by default"
    collector.limits["traces"] = limit
    await spooled(Signal.TRACES, payload, items)
    start(collector.grpc_url if protocol == "grpc" else collector.url, protocol)
    await to_the_end(waiting, clock, Signal.TRACES)
    found = arrived(collector, "traces")
    assert len(found) == items
    assert found[0].name == "journey buy_a_mug"
    assert found[0].attributes["footfall.run.id"]
    assert await books(names.SPOOL_DROPPED) == {}


async def test_a_batch_that_is_too_large_goes_in_smaller_ones(
    collector, put, start, waiting, clock, books
):
    """Many small payloads in one request are too large together, not each."""
    numbers = [str(number) for number in range(40)]
    collector.limits["traces"] = 5000
    await put(*numbers)
    start(collector.url)
    await to_the_end(waiting, clock, Signal.TRACES)
    assert len(arrived(collector, "traces")) == 160
    assert await books(names.SPOOL_DROPPED) == {}


async def test_a_spoiled_payload_blocks_no_other(
    collector, spooled, put, start, waiting, clock, books
):
    """One that can't be taken apart, since the disk has spoiled it, is lost alone."""
    collector.limits["traces"] = 3000
    await spooled(Signal.TRACES, b"\xff" * 5000, 7)
    await put("1", "2")
    start(collector.url)
    await to_the_end(waiting, clock, Signal.TRACES)
    assert len(arrived(collector, "traces")) == 8
    assert await books(names.SPOOL_DROPPED) == {"traces": 7}


async def test_what_is_through_is_not_sent_again(collector, spooled, start, waiting, clock, books):
    """An outage in the midst of the pieces costs delay, and no point comes twice."""
    payload, items = metrics_of(60).SerializeToString(), 360
    collector.limits["metrics"] = 2000
    collector.answers["metrics"] = [(200, {}, b"")] * 8 + [(503, {}, b"")] * 3
    await spooled(Signal.METRICS, payload, items)
    start(collector.url)
    await to_the_end(waiting, clock, Signal.METRICS)
    assert len(arrived(collector, "metrics")) == items
    assert await books(names.SPOOL_DROPPED) == {}


async def test_a_collector_that_takes_nothing_at_all_is_a_door(
    collector, spooled, put, start, waiting, clock, books
):
    """Where not even a single item passes, nothing is lost: the limit may be a mistake."""
    collector.limits["traces"] = 10
    await put("1", "2")
    sender = start(collector.url)
    async with asyncio.timeout(30):
        while not (trouble := sender.reports[Signal.TRACES].trouble) or not trouble.refused:
            clock.advance(1.0)
            await waiting(Signal.TRACES)
    assert await waiting(Signal.TRACES) == 8
    collector.limits.clear()
    await to_the_end(waiting, clock, Signal.TRACES)
    assert await books(names.SPOOL_DROPPED) == {}


async def test_a_log_record_is_shortened_as_a_last_resort(
    collector, spooled, make_run, identity, start, waiting, clock, books
):
    """Of a record that can't be divided what matters arrives."""
    run = replace(make_run(), error="x" * 100_000)
    payload = logs.encode_run(run, describe(identity, {}), "1")
    collector.limits["logs"] = 2500
    await spooled(Signal.LOGS, payload, 1)
    start(collector.url)
    await to_the_end(waiting, clock, Signal.LOGS)
    (record,) = arrived(collector, "logs")
    assert record.trace_id == run.trace_id
    assert record.attributes["footfall.run.id"] == run.run_id
    assert await books(names.SPOOL_DROPPED) == {}


@given(st.integers(1, 5), st.integers(1, 3))
def test_halves_make_the_whole(points, scopes):
    """Both halves hold all items between them, in order, with what they belong to."""
    request = metrics_of(points, scopes)
    halves = halve(Signal.METRICS, request.SerializeToString())
    parsed = [ExportMetricsServiceRequest.FromString(one.payload) for one in halves]
    found = [item for one in parsed for item in signals.metrics(one)]
    assert found == list(signals.metrics(request))
    assert [one.items for one in halves] == [len(list(signals.metrics(one))) for one in parsed]
    if len(found) > 1:
        assert all(one.items for one in halves)


def test_what_is_shortened_keeps_ids_and_names(make_run, identity):
    """Ids, names, times and what short values say stay."""
    payload, _ = spans.encode_run(big_run(make_run, 1, 2000), describe(identity, {}), "1")
    short = shorten(Signal.TRACES, payload)
    before, after = (
        list(signals.spans(ExportTraceServiceRequest.FromString(one))) for one in (payload, short)
    )
    assert len(short) < len(payload) / 3
    assert [(s.span_id, s.trace_id, s.name) for s in before] == [
        (s.span_id, s.trace_id, s.name) for s in after
    ]
    assert after[0].attributes["footfall.run.id"] == before[0].attributes["footfall.run.id"]
    assert shorten(Signal.TRACES, short) is None
