from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from structlog.testing import capture_logs

from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import REFUSED_KEPT
from tests.support.collector import drained, run_ids


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_what_waits_arrives_in_order_and_leaves_the_disk(
    protocol, collector, put, start, waiting, books
):
    """Over either protocol: everything, in order, and deleted only then."""
    await put("1", "2", "3")
    start(collector.grpc_url if protocol == "grpc" else collector.url, protocol)
    await drained(waiting, Signal.TRACES)
    await drained(waiting, Signal.LOGS)
    assert run_ids(collector.taken["traces"]) == ["1", "2", "3"]
    assert await books("footfall.spool.sent") == {"traces": 12, "logs": 3}
    assert await books("footfall.spool.dropped") == {}


async def test_requests_are_compressed_and_carry_the_headers(collector, put, start, waiting):
    """gzip unless told otherwise, and the collector's credentials on each request."""
    await put("1")
    start(collector.url, OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20x")
    await drained(waiting, Signal.TRACES)
    headers = {key.lower(): value for key, value in collector.headers[0].items()}
    assert headers["content-encoding"] == "gzip"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["authorization"] == "Bearer x"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_a_collector_that_repeats_its_credentials(protocol, collector, put, start, waiting):
    """What the collector says is logged without the headers that it was sent, cut or whole."""
    said = ["bad header Bearer top-secret-token", f"{'no ' * 95}top-secret-token, thank you"]
    answers = []
    for words in said:
        answer = ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = 1
        answer.partial_success.error_message = words
        answers.append((200, {}, answer.SerializeToString()))
    for words, answer in zip(said, answers, strict=True):
        collector.answers["traces"] = [answer]
        if protocol != "grpc":
            collector.answers["traces"].append(
                (400, {"content-type": "text/plain"}, words.encode())
            )
        await put("1", "2")
        with capture_logs() as lines:
            start(
                collector.grpc_url if protocol == "grpc" else collector.url,
                protocol,
                OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20top-secret-token",
            )
            await drained(waiting, Signal.TRACES)
        assert lines
        for line in lines:
            assert "***" in line["reason"]
            assert "top-" not in line["reason"]


async def test_a_wake_sends_what_came_later(collector, put, start, waiting):
    """An idle lane needs no clock to notice a new run."""
    sender = start(collector.url)
    await put("1")
    sender.wake()
    await drained(waiting, Signal.TRACES)
    assert run_ids(collector.taken["traces"]) == ["1"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_an_outage_costs_nothing_but_delay(
    status, collector, put, start, waiting, clock, books
):
    """What the collector can't take now is kept and sent again, nothing else."""
    collector.answers["traces"] = [(status, {}, b"")]
    await put("1")
    start(collector.url)
    await clock.asked(1)
    assert await waiting(Signal.TRACES) == 4
    assert 0.5 <= clock.sleeps[0] <= 1.0
    clock.advance(1.0)
    await drained(waiting, Signal.TRACES)
    assert run_ids(collector.taken["traces"]) == ["1"]
    assert await books("footfall.spool.dropped") == {}


async def test_pauses_grow_to_half_a_minute(collector, put, start, clock):
    """A collector that is down is asked ever less often, up to a bound."""
    collector.answers["traces"] = [(503, {}, b"")] * 8
    await put("1")
    start(collector.url)
    for count in range(1, 8):
        await clock.asked(count)
        clock.advance(30.0)
    for pause, longest in zip(clock.sleeps, [1, 2, 4, 8, 16, 30, 30], strict=False):
        assert longest / 2 <= pause <= longest


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_honoured(form, collector, put, start, clock):
    """The collector's own word on when to come back is kept to."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    text = "%a, %d %b %Y %H:%M:%S GMT"
    headers = {"Retry-After": "45"}
    if form == "date":
        headers = {
            "Date": now.strftime(text),
            "Retry-After": (now + timedelta(seconds=45)).strftime(text),
        }
    collector.answers["traces"] = [(429, headers, b"")]
    await put("1")
    start(collector.url)
    await clock.asked(1)
    assert clock.sleeps[0] == 45.0


async def test_a_refused_payload_is_set_apart_from_its_batch(collector, put, start, waiting, books):
    """One payload that is wrong for good is dropped and counted; its neighbours arrive."""
    collector.refused.add("2")
    await put("1", "2", "3")
    with capture_logs() as lines:
        start(collector.url)
        await drained(waiting, Signal.TRACES)
    assert run_ids(collector.taken["traces"]) == ["1", "3"]
    assert await books("footfall.spool.dropped") == {"traces": 4}
    said = [(line["event"], line["action"], line["reason"], line["lost"]) for line in lines]
    assert said == [("telemetry.refused", "send", "HTTP 400 (text/plain): no 2, thank you", 4)]


async def test_what_was_refused_can_be_looked_at(collector, put, start, waiting, database):
    """The last payloads that were lost stay in the state folder, each with the reason."""
    numbers = [f"bad-{number:02}" for number in range(REFUSED_KEPT + 5)]
    collector.refused |= set(numbers)
    for number in numbers:
        await put(number, f"good-{number}")
    start(collector.url)
    await drained(waiting, Signal.TRACES)

    def look(connection):
        return connection.execute("SELECT * FROM spool_refused ORDER BY id").fetchall()

    rows = await database.transaction(look)
    parsed = [ExportTraceServiceRequest.FromString(row["payload"]) for row in rows]
    assert run_ids(parsed) == numbers[5:]
    assert rows[-1]["reason"] == f"HTTP 400 (text/plain): no {numbers[-1]}, thank you"
    assert (rows[-1]["signal"], rows[-1]["items"]) == ("traces", 4)


async def test_a_refused_payload_is_found_by_halves(collector, put, start, waiting):
    """Among a hundred, one that is wrong costs some requests more, not a hundred."""
    numbers = [str(number) for number in range(100)]
    collector.refused.add("63")
    await put(*numbers)
    start(collector.url)
    await drained(waiting, Signal.TRACES)
    assert run_ids(collector.taken["traces"]) == [one for one in numbers if one != "63"]
    assert collector.calls["traces"] < 25


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_is_wrong_with_the_sender_costs_no_payload(
    protocol, status, collector, put, start, waiting, clock, books
):
    """A credential that ran out or a missing route is an outage: the payload is kept."""
    collector.answers["traces"] = [(status, {}, b"")]
    await put("1")
    start(collector.grpc_url if protocol == "grpc" else collector.url, protocol)
    await clock.asked(1)
    assert await waiting(Signal.TRACES) == 4
    clock.advance(1.0)
    await drained(waiting, Signal.TRACES)
    assert run_ids(collector.taken["traces"]) == ["1"]
    assert await books("footfall.spool.dropped") == {}


async def test_a_refused_signal_does_not_hold_up_the_others(collector, put, start, waiting):
    """Each signal has a lane of its own."""
    collector.answers["traces"] = [(503, {}, b"")] * 100
    await put("1", "2")
    start(collector.url)
    await drained(waiting, Signal.LOGS)
    assert await waiting(Signal.TRACES) == 8


async def test_partial_success_is_read(collector, put, start, waiting, books):
    """Items that the collector rejected are dropped ones, not sent ones."""
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "too long ago"
    collector.answers["traces"] = [(200, {}, answer.SerializeToString())]
    await put("1")
    with capture_logs() as lines:
        start(collector.url)
        await drained(waiting, Signal.TRACES)
    assert await books("footfall.spool.dropped") == {"traces": 3}
    assert (await books("footfall.spool.sent"))["traces"] == 1
    said = [(line["event"], line["action"], line["reason"], line["lost"]) for line in lines]
    assert said == [("telemetry.rejected", "send", "too long ago", 3)]


@pytest.mark.parametrize("after", [40, -5, 10**11])
async def test_grpc_retry_info_is_honoured(after, collector, put, start, waiting, clock):
    """RESOURCE_EXHAUSTED means later, after the delay where one is given, within bounds."""
    status = Status()
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=after)))
    collector.answers["traces"] = [(429, {}, status.SerializeToString()), (429, {}, b"")]
    await put("1")
    start(collector.grpc_url, "grpc")
    await clock.asked(1)
    assert clock.sleeps[0] == (min(after, 600.0) if after > 0 else pytest.approx(0.75, abs=0.25))
    assert await waiting(Signal.TRACES) == 4
    clock.advance(600.0)
    await clock.asked(2)
    clock.advance(2.0)
    await drained(waiting, Signal.TRACES)
    assert run_ids(collector.taken["traces"]) == ["1"]


async def test_stop_delivers_what_waits(collector, put, start, waiting):
    """A clean stop is a flush."""
    sender = start(collector.url)
    await put("1")
    await sender.stop(3.0)
    assert run_ids(collector.taken["traces"]) == ["1"]
    assert await waiting(Signal.LOGS) == 0


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_stop_with_a_refused_connection_is_quick_and_keeps_all(
    protocol, put, start, waiting, clock
):
    """A collector that is gone holds up no shutdown, and costs nothing."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        sender = start(f"http://127.0.0.1:{unused.getsockname()[1]}", protocol)
        await put("1")
        sender.wake()
        await sender.stop(3.0)
    assert clock.now == 0.0
    assert await waiting(Signal.TRACES) == 4


async def test_stop_with_a_hung_collector_ends_at_its_bound(collector, put, start, waiting, clock):
    """A collector that takes the connection and never answers is left behind in time."""
    collector.hang = True
    await put("1")
    sender = start(collector.url)
    await collector.until(lambda: collector.calls["traces"] == 1)
    stopping = asyncio.create_task(sender.stop(3.0))
    await clock.asked(1)
    assert not stopping.done()
    clock.advance(3.0)
    async with asyncio.timeout(5):
        await stopping
    assert await waiting(Signal.TRACES) == 4


async def test_an_outage_is_told_once_a_minute(collector, put, start, clock):
    """A dead collector doesn't fill the log, and isn't silent either."""
    collector.answers["traces"] = [(503, {}, b"")] * 9
    await put("1")
    with capture_logs() as lines:
        start(collector.url)
        for count in range(1, 6):
            await clock.asked(count)
            clock.advance(30.0)
        await clock.asked(6)
    warnings = [line for line in lines if line["log_level"] == "warning"]
    assert len(warnings) == 3
    said = {(line["event"], line["action"], line["signal"]) for line in warnings}
    assert said == {("telemetry.kept", "send", "traces")}


async def test_an_idle_lane_rests(collector, put, start, spool, waiting, monkeypatch):
    """With nothing to send the sender leaves the database alone until it is woken."""
    looks = []
    waiting_ = spool.waiting
    monkeypatch.setattr(spool, "waiting", lambda *a, **k: looks.append(1) or waiting_(*a, **k))
    sender = start(collector.url)
    await put("1")
    sender.wake()
    await drained(waiting, Signal.TRACES)
    await drained(waiting, Signal.LOGS)
    for _ in range(20):
        await waiting(Signal.TRACES)
    rested = len(looks)
    for _ in range(20):
        await waiting(Signal.TRACES)
    assert len(looks) == rested
