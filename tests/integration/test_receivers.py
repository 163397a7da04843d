"""The receivers keep what they are sent, and answer as they are told."""

import asyncio
import gzip
import socket
import time
import urllib.request

import aiohttp
import grpc
import psutil
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.support import debian, install
from tests.support.commands import InstallError, run
from tests.support.network import ForeignAddress, LoopbackOnly
from tests.support.otlp import OtlpReceiver, partial_success
from tests.support.rotel import Rotel
from tests.support.victoria import VictoriaMetrics

TRACE, PARENT, CHILD = bytes(range(16)), b"\1" * 8, b"\2" * 8
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def attribute(key, value):
    return KeyValue(key=key, value=AnyValue(string_value=value))


def traces():
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(attribute("service.name", "footfall"))
    spans = group.scope_spans.add().spans
    spans.add(
        name="parent",
        trace_id=TRACE,
        span_id=PARENT,
        kind=1,
        start_time_unix_nano=1,
        end_time_unix_nano=5,
    )
    child = spans.add(
        name="child",
        trace_id=TRACE,
        span_id=CHILD,
        parent_span_id=PARENT,
        kind=3,
        start_time_unix_nano=2,
        end_time_unix_nano=4,
        attributes=[attribute("url.full", "http://127.0.0.1/")],
    )
    child.status.code = 2
    child.status.message = "refused"
    return request


def metrics(now_ns, runs=3):
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.append(attribute("service.name", "footfall"))
    scope = group.scope_metrics.add()
    times = {"start_time_unix_nano": now_ns - 10**9, "time_unix_nano": now_ns}
    counter = scope.metrics.add(name="footfall.journey.runs", unit="{run}")
    counter.sum.is_monotonic = True
    counter.sum.aggregation_temporality = 2
    counter.sum.data_points.add(as_int=runs, attributes=[attribute("result", "pass")], **times)
    histogram = scope.metrics.add(name="footfall.journey.duration", unit="s").histogram
    histogram.aggregation_temporality = 2
    point = histogram.data_points.add(
        count=3, sum=4.5, explicit_bounds=[1.0, 2.0], bucket_counts=[1, 1, 1], **times
    )
    point.exemplars.add(as_double=2.5, trace_id=TRACE, span_id=PARENT, time_unix_nano=now_ns)
    scope.metrics.add(name="footfall.journey.up").gauge.data_points.add(as_int=1, **times)
    return request


def logs():
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(
        event_name="footfall.run.finished",
        severity_number=17,
        body=AnyValue(string_value="buy_a_mug failed"),
        trace_id=TRACE,
        span_id=PARENT,
        time_unix_nano=7,
    )
    return request


async def post(endpoint, signal, request, **headers):
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{endpoint}/v1/{signal}",
            data=request.SerializeToString(),
            headers=PROTOBUF | headers,
        ) as response,
    ):
        return response.status, response.headers, await response.read()


async def call(endpoint, service, request, **options):
    async with grpc.aio.insecure_channel(endpoint.removeprefix("http://")) as channel:
        export = channel.unary_unary(f"/opentelemetry.proto.collector.{service}/Export")
        return await export(request.SerializeToString(), **options)


async def test_http_spans_arrive_flat_and_whole(otlp):
    """Ids, parentage, kind, status, attributes and resource survive the way."""
    status, _, _ = await post(otlp.http_endpoint, "traces", traces())

    assert status == 200
    parent, child = otlp.spans
    assert (parent.name, parent.parent_id, parent.kind) == ("parent", None, "internal")
    assert (child.trace_id, child.parent_id) == (TRACE.hex(), parent.span_id)
    assert (child.kind, child.status, child.message) == ("client", "error", "refused")
    assert (child.start_ns, child.end_ns) == (2, 4)
    assert child.attributes == {"url.full": "http://127.0.0.1/"}
    assert child.resource == {"service.name": "footfall"}


async def test_http_metrics_arrive_flat_and_whole(otlp):
    """Counters, gauges and histograms keep value, buckets, times and exemplars."""
    await post(otlp.http_endpoint, "metrics", metrics(10**18))

    runs = otlp.latest("footfall.journey.runs", result="pass")
    assert (runs.kind, runs.temporality, runs.monotonic) == ("sum", "cumulative", True)
    assert (runs.value, runs.unit) == (3, "{run}")
    assert (runs.start_ns, runs.time_ns) == (10**18 - 10**9, 10**18)
    assert otlp.latest("footfall.journey.runs", result="fail") is None
    duration = otlp.latest("footfall.journey.duration")
    assert (duration.count, duration.sum, duration.value) == (3, 4.5, None)
    assert duration.buckets == ((1.0, 1), (2.0, 1), (float("inf"), 1))
    assert [exemplar.trace_id for exemplar in duration.exemplars] == [TRACE.hex()]
    up = otlp.latest("footfall.journey.up")
    assert (up.kind, up.value, up.temporality) == ("gauge", 1, "")


async def test_latest_is_by_time_not_by_arrival(otlp):
    """A replayed older point doesn't hide a newer one."""
    await post(otlp.http_endpoint, "metrics", metrics(10**18, runs=5))
    await post(otlp.http_endpoint, "metrics", metrics(10**17, runs=4))

    assert otlp.latest("footfall.journey.runs").value == 5


async def test_gzip_is_undone(otlp):
    """A compressed body is kept uncompressed; the headers tell how it came."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{otlp.http_endpoint}/v1/logs",
            data=gzip.compress(logs().SerializeToString()),
            headers=PROTOBUF | {"Content-Encoding": "gzip"},
        ) as response,
    ):
        assert response.status == 200
    (request,) = otlp.requests
    assert request.headers["content-encoding"] == "gzip"
    assert request.body == logs().SerializeToString()
    (log,) = otlp.logs
    assert (log.event_name, log.severity, log.body) == (
        "footfall.run.finished",
        "ERROR",
        "buy_a_mug failed",
    )
    assert log.trace_id == TRACE.hex()


async def test_grpc_takes_all_three_signals(otlp):
    """Each of the three services keeps what it gets, with its metadata."""
    metadata = (("x-tenant", "blue"),)
    await call(otlp.grpc_endpoint, "trace.v1.TraceService", traces(), metadata=metadata)
    await call(otlp.grpc_endpoint, "metrics.v1.MetricsService", metrics(10**18))
    await call(otlp.grpc_endpoint, "logs.v1.LogsService", logs())

    assert [span.name for span in otlp.spans] == ["parent", "child"]
    assert otlp.latest("footfall.journey.runs").value == 3
    assert otlp.logs[0].body == "buy_a_mug failed"
    assert otlp.requests[0].headers["x-tenant"] == "blue"
    assert otlp.counts == {"traces": 1, "metrics": 1, "logs": 1}


async def test_a_refusal_is_answered_and_kept_out(otlp):
    """A refused request counts as received, and its items don't."""
    otlp.answer = (429, {"Retry-After": "2"})

    status, headers, _ = await post(otlp.http_endpoint, "traces", traces())

    assert (status, headers["Retry-After"]) == (429, "2")
    assert otlp.counts["traces"] == 1
    assert otlp.spans == []


async def test_one_signal_can_be_refused_alone(otlp):
    """``answers`` overrides ``answer`` for its signal only."""
    otlp.answers["metrics"] = 400

    assert (await post(otlp.http_endpoint, "metrics", metrics(10**18)))[0] == 400
    assert (await post(otlp.http_endpoint, "logs", logs()))[0] == 200
    assert otlp.metrics == []
    assert len(otlp.logs) == 1


async def test_grpc_refusals_carry_code_and_delay(otlp):
    """A status becomes its gRPC code, and Retry-After becomes RetryInfo."""
    otlp.answer = (429, {"Retry-After": "2"})
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(otlp.grpc_endpoint, "logs.v1.LogsService", logs())
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = Status.FromString(dict(refused.value.trailing_metadata())["grpc-status-details-bin"])
    info = RetryInfo()
    assert details.details[0].Unpack(info)
    assert info.retry_delay.seconds == 2

    otlp.answer = 503
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(otlp.grpc_endpoint, "logs.v1.LogsService", logs())
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert otlp.logs == []


async def test_partial_success_is_said_and_done(otlp):
    """The answer names the number refused, and exactly so many items are missing."""
    otlp.answer = partial_success(1)

    _, _, body = await post(otlp.http_endpoint, "traces", traces())
    answer = ExportTraceServiceResponse.FromString(body)
    assert answer.partial_success.rejected_spans == 1
    assert [span.name for span in otlp.spans] == ["child"]

    body = await call(otlp.grpc_endpoint, "metrics.v1.MetricsService", metrics(10**18))
    answer = ExportMetricsServiceResponse.FromString(body)
    assert answer.partial_success.rejected_data_points == 1
    assert len(otlp.metrics) == 2


async def test_hang_and_reset_break_the_connection(otlp):
    """A hung request gets no answer, a reset one loses its connection."""
    otlp.answer = "reset"
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(otlp.http_endpoint, "logs", logs())
    with pytest.raises(grpc.aio.AioRpcError, match="reset"):
        await call(otlp.grpc_endpoint, "logs.v1.LogsService", logs())

    otlp.answer = "hang"
    hung = asyncio.create_task(post(otlp.http_endpoint, "logs", logs()))
    await otlp.wait_for(lambda received: received.counts["logs"] == 3)
    assert not hung.done()
    hung.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hung
    with pytest.raises(grpc.aio.AioRpcError, match="Deadline"):
        await call(otlp.grpc_endpoint, "logs.v1.LogsService", logs(), timeout=0.2)
    assert otlp.logs == []


async def test_what_is_no_otlp_is_refused(otlp):
    """A foreign content type or a broken body is answered as a collector would."""
    status, _, _ = await post(otlp.http_endpoint, "logs", logs(), **{"Content-Type": "text/plain"})
    assert status == 415
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{otlp.http_endpoint}/v1/logs", data=b"\xff\xff", headers=PROTOBUF
        ) as response,
    ):
        assert response.status == 400


async def test_an_outage_ends_on_the_same_ports():
    """A stopped receiver refuses connections, and comes back where it was."""
    async with OtlpReceiver() as receiver:
        http, rpc = receiver.http_endpoint, receiver.grpc_endpoint
        await receiver.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await post(http, "logs", logs())
        with pytest.raises(grpc.aio.AioRpcError, match="refused"):
            await call(rpc, "logs.v1.LogsService", logs())
        await receiver.start()
        await post(http, "logs", logs())
        await call(rpc, "logs.v1.LogsService", logs())
        assert len(receiver.logs) == 2


async def test_a_condition_that_never_holds_says_what_came(otlp):
    """The failure of ``wait_for`` names what did arrive."""
    await post(otlp.http_endpoint, "traces", traces())
    with pytest.raises(AssertionError, match=r"child.*parent"):
        await otlp.wait_for(lambda received: received.logs, timeout=0.05)


async def test_victoria_keeps_what_is_sent(victoria):
    """Counters, gauges and histograms come back by PromQL under Prometheus names."""
    now_ns = time.time_ns()
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(
            victoria.otlp_metrics_endpoint,
            data=metrics(now_ns).SerializeToString(),
            headers=PROTOBUF,
        ),
    ):
        pass

    ((labels, value),) = await victoria.wait_for("footfall_journey_runs_total")
    assert (labels["result"], value) == ("pass", 3)
    ((_, up),) = await victoria.query("footfall_journey_up")
    assert up == 1
    ((_, below),) = await victoria.query('footfall_journey_duration_seconds_bucket{le="2"}')
    assert below == 2
    assert await victoria.query("footfall_journey_up", at=time.time() - 3600) == []
    with pytest.raises(AssertionError, match="no_such_metric"):
        await victoria.wait_for("no_such_metric", timeout=0.3)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_rotel_forwards_every_signal(otlp, rotel, protocol):
    """What a real collector takes by either protocol reaches the receiver unchanged."""
    if protocol == "http":
        for signal, request in (
            ("traces", traces()),
            ("metrics", metrics(10**18)),
            ("logs", logs()),
        ):
            assert (await post(rotel.http_endpoint, signal, request))[0] == 200
    else:
        await call(rotel.grpc_endpoint, "trace.v1.TraceService", traces())
        await call(rotel.grpc_endpoint, "metrics.v1.MetricsService", metrics(10**18))
        await call(rotel.grpc_endpoint, "logs.v1.LogsService", logs())

    await otlp.wait_for(lambda received: received.spans and received.metrics and received.logs)
    assert {span.name: span.parent_id for span in otlp.spans} == {
        "parent": None,
        "child": PARENT.hex(),
    }
    assert otlp.latest("footfall.journey.runs", result="pass").value == 3
    assert otlp.logs[0].trace_id == TRACE.hex()


@pytest.mark.parametrize("service", [VictoriaMetrics, lambda: Rotel("http://127.0.0.1:9")])
def test_a_service_leaves_nothing(service):
    """After the block the process and its folder are gone."""
    with service() as running:
        assert psutil.pid_exists(running.pid)
    assert not psutil.pid_exists(running.pid)
    assert not running.folder.exists()


def test_a_service_that_dies_says_why():
    """A program that ends before it is ready is reported with its output, and cleaned up."""

    class Broken(VictoriaMetrics):
        def command(self):
            return ["sh", "-c", "echo no room; exit 3"]

        def ready(self):
            return False

    broken = Broken()
    with pytest.raises(RuntimeError, match=r"(?s)code 3.*no room"), broken:
        pytest.fail("a dead service was entered")
    assert not broken.folder.exists()


def test_the_guard_refuses_and_remembers():
    """Under the guard no socket leaves loopback, and a swallowed refusal is still known."""
    with LoopbackOnly() as guard, socket.socket() as plain:
        with pytest.raises(ForeignAddress):
            plain.connect(("192.0.2.1", 9))
        with pytest.raises(ForeignAddress):
            socket.getaddrinfo("shop.example.com", 80)
        assert plain.connect_ex(("127.0.0.1", 1)) != 0
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(ForeignAddress):
            datagrams.sendto(b"", ("192.0.2.1", 9))
    assert guard.attempts == ["192.0.2.1", "shop.example.com", "192.0.2.1"]


async def test_the_guard_covers_the_event_loop(otlp):
    """asyncio's own connections pass the guard on loopback and are refused beyond."""
    with LoopbackOnly() as guard:
        await post(otlp.http_endpoint, "logs", logs())
        with pytest.raises(ForeignAddress):
            await asyncio.open_connection("192.0.2.1", 9)
    assert guard.attempts == ["192.0.2.1"]


def test_debian_sources_keep_all_but_the_release(tmp_path):
    """The other release comes from the system's own mirror, keys and all, and from no other."""
    folder = tmp_path / "apt" / "sources.list.d"
    folder.mkdir(parents=True)
    (tmp_path / "os-release").write_text('VERSION_CODENAME="bookworm"\n')
    (tmp_path / "apt" / "sources.list").write_text(
        "deb [signed-by=/keys/a.gpg arch=amd64] http://one.test/debian bookworm main contrib\n"
        "deb http://one.test/debian bookworm-updates main\n"
        "deb-src http://one.test/debian bookworm main\n"
        "# deb http://two.test/debian bookworm main\n"
    )
    (folder / "docker.list").write_text("deb http://three.test/linux bookworm stable\n")
    (folder / "debian.sources").write_text(
        "Types: deb\n# a comment\nURIs: http://four.test/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By:\n line one\n line two\n\n"
        "Types: deb\nURIs: http://four.test/security\nSuites: bookworm-security\n"
        "Components: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://five.test/debian\nSuites: bookworm\n"
        "Components: main\n"
    )

    one, four = debian.derived_sources(tmp_path, "trixie")

    assert one.splitlines() == [
        "Types: deb",
        "URIs: http://one.test/debian",
        "Suites: trixie",
        "Components: main",
        "Signed-By: /keys/a.gpg",
        "Architectures: amd64",
    ]
    assert "uris: http://four.test/debian\n" in four
    assert "suites: trixie\n" in four
    assert "signed-by: \n line one\n line two\n" in four


def test_a_system_without_debian_sources_is_told_so(tmp_path):
    """Without a source to derive from the message says what to add, and nothing is written."""
    (tmp_path / "apt").mkdir()
    (tmp_path / "os-release").write_text("VERSION_CODENAME=bookworm\n")
    with pytest.raises(InstallError, match="no Debian source"):
        debian.unpack("victoria-metrics", "trixie", tmp_path / "target", tmp_path)
    assert not (tmp_path / "target").exists()


def test_set_up_tries_again_and_then_says_what_failed(tmp_path):
    """A passing fault is outlived; a lasting one is told with the program's own words."""
    flaky = ["sh", "-c", "echo x >> tries; test $(wc -l < tries) -ge 3"]
    run(flaky, {"PATH": "/usr/bin:/bin"}, tmp_path, pauses=(0, 0))
    assert (tmp_path / "tries").read_text().count("x") == 3

    with pytest.raises(InstallError, match=r"(?s)code 7, 2 times.*no route"):
        run(["sh", "-c", "echo no route; exit 7"], {}, tmp_path, pauses=(0,))


def test_set_up_installs_once_and_again_when_its_source_changes(tmp_path, monkeypatch):
    """What is current is left alone; a changed key, a lost folder or a broken try is redone."""
    monkeypatch.setattr(install, "CACHE", tmp_path)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    folder, done = tmp_path / "part", []

    def part():
        folder.mkdir(exist_ok=True)
        done.append(1)

    def broken():
        raise InstallError("cut short")

    for key in ("one", "one", "two"):
        install._once("a part", key, folder, part)
    assert len(done) == 2
    with pytest.raises(InstallError):
        install._once("a part", "three", folder, broken)
    install._once("a part", "two", folder, part)
    folder.rmdir()
    install._once("a part", "two", folder, part)
    assert len(done) == 4


def test_the_demo_shop_serves_on_both_origins(shop):
    """The demo shop starts as a process of its own and answers on the addresses it names."""
    assert shop.url != shop.analytics
    for url in (shop.url, shop.analytics):
        with urllib.request.urlopen(url) as response:
            assert response.status == 200
