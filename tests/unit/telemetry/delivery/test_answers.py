"""What each answer of a collector, a gateway or nobody in particular comes to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest
import trustme
from aiohttp import web
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from agent.telemetry.delivery.connect import connect
from agent.telemetry.delivery.destination import Target
from agent.telemetry.delivery.link import Link
from agent.telemetry.delivery.quoting import quoting, seen
from agent.telemetry.delivery.response import read_http, read_protobuf
from agent.telemetry.delivery.retry_after import retry_after
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.transport import Accepted, Refused, TooLarge, Unavailable
from tests.support.service import free_port

PAYLOAD = ExportTraceServiceRequest().SerializeToString()
HTML = "text/html; charset=utf-8"
PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in</p>"


def partial(rejected, words=""):
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = rejected
    answer.partial_success.error_message = words
    return answer.SerializeToString()


@pytest.fixture
async def peer():
    """A server whose one answer is set by the test, and a way to post to it."""

    class Peer:
        answer = (200, {}, b"")

    peer = Peer()

    async def handle(request):
        await request.read()
        status, headers, body = peer.answer
        return web.Response(status=status, headers=headers, body=body)

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    transport = await connect(Target(peer.url, headers={"authorization": "Bearer hush-hush"}))

    async def send(status, headers=None, body=b""):
        peer.answer = (status, headers or {}, body)
        return await transport.send(Signal.TRACES, PAYLOAD)

    yield send
    await transport.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "kind", "body", "rejected"),
    [
        (200, "application/x-protobuf", b"", 0),
        (200, "application/x-protobuf", partial(3), 3),
        (200, "application/protobuf", partial(3), 3),
        (200, "Application/X-Protobuf; proto=x", partial(1), 1),
        (200, "application/json", b"{}", 0),
        (200, "application/json; charset=utf-8", b'{"partialSuccess": {}}', 0),
        (200, "application/json", b'{"partialSuccess":{"rejectedSpans":"2"}}', 2),
        (200, "application/json", b'{"partial_success":{"rejected_spans":2}}', 2),
        (200, "application/octet-stream", partial(4), 4),
        (200, "text/html", b"", 0),
        (202, "text/plain", b"", 0),
        (204, "", b"", 0),
    ],
)
async def test_what_is_accepted(status, kind, body, rejected, peer):
    """An empty 2xx, or one that is OTLP's in either of its forms."""
    answer = await peer(status, {"content-type": kind} if kind else {}, body)
    assert isinstance(answer, Accepted)
    assert answer.rejected == rejected


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (200, {"content-type": HTML}, PAGE, "HTTP 200 (text/html): Sign in Please sign in"),
        (200, {"content-type": "text/plain"}, b"OK", "HTTP 200 (text/plain): OK"),
        (200, {"content-type": "application/json"}, b'{"error": "who?"}', "who?"),
        (200, {"content-type": "application/json"}, b"[1]", "[1]"),
        (200, {"content-type": "application/json"}, b"[" * 9999, "HTTP 200"),
        (200, {"content-type": "application/x-protobuf"}, PAGE, "HTTP 200"),
        (200, {}, b"welcome", "HTTP 200"),
        (206, {"content-type": HTML}, PAGE, "HTTP 206"),
        (301, {"location": "/elsewhere"}, b"", "to /elsewhere"),
        (302, {"location": "https://sso.example.com/login?t=hush"}, PAGE, "sso.example.com/login"),
        (307, {"location": "https://me:hush@a.example.com/"}, b"", "to https://a.example.com/"),
        (308, {"location": "http://[oops"}, b"", "to http://[oops"),
        (304, {}, b"", "HTTP 304"),
        (401, {}, b"", "HTTP 401"),
        (403, {"content-type": HTML}, PAGE, "Sign in"),
        (404, {}, b"", "HTTP 404"),
        (407, {}, b"", "HTTP 407"),
        (408, {}, b"", "HTTP 408"),
        (429, {}, b"", "HTTP 429"),
        (500, {}, b"", "HTTP 500"),
        (501, {}, b"", "HTTP 501"),
        (502, {"content-type": HTML}, b"<h1>502 Bad Gateway</h1>nginx", "502 Bad Gateway nginx"),
        (505, {}, b"", "HTTP 505"),
        (511, {"content-type": HTML}, PAGE, "Sign in"),
        (599, {}, b"", "HTTP 599"),
    ],
)
async def test_what_is_not_now(status, headers, body, words, peer):
    """A gateway's page, a redirect, a missing route: kept, and told with what was seen."""
    answer = await peer(status, headers, body)
    assert isinstance(answer, Unavailable)
    assert words in answer.reason
    assert "hush" not in answer.reason
    assert len(answer.reason) <= 300


@pytest.mark.parametrize("status", [400, 402, 405, 406, 409, 410, 411, 415, 418, 422, 431, 451])
async def test_what_is_refused(status, peer):
    """Any other 4xx is said of the payload, until others fare no better."""
    answer = await peer(status, {"content-type": "text/plain"}, b"bad Bearer hush-hush\x1b[2J")
    assert answer == Refused(f"HTTP {status} (text/plain): bad *** [2J")


async def test_what_is_too_large(peer):
    """413 is an answer to the size alone."""
    assert isinstance(await peer(413, {"content-type": HTML}, PAGE), TooLarge)


async def test_a_long_answer_is_not_read_to_its_end(peer):
    """A body without end is no answer of OTLP's."""
    answer = await peer(200, {"content-type": "application/json"}, b" " * (1 << 20) + b"{}")
    assert isinstance(answer, Unavailable)


DATE = "Thu, 26 Nov 2026 21:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45", 45.0),
        (" 45 ", 45.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-7", 0.0),
        ("9" * 400, float("inf")),
        ("inf", float("inf")),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("²", None),
        ("Thu, 26 Nov 2026 21:00:45 GMT", 45.0),
        ("Thu, 26 Nov 2026 21:00:45 -0000", 45.0),
        ("Thu, 26 Nov 2026 22:00:45 +0100", 45.0),
        ("Thu, 26 Nov 2026 20:00:00 GMT", 0.0),
        ("Thursday, 26-Nov-26 21:00:45 GMT", 45.0),
        ("Thu, 26 Nov 99999999999 21:00:00 GMT", None),
        ("Thu, 99 Nov 2026 21:00:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
    ],
)
def test_retry_after(text, seconds):
    """Seconds and dates in each form that gateways write; what makes no sense says nothing."""
    assert retry_after({"Retry-After": text, "Date": DATE}) == seconds


@given(st.text(max_size=60), st.text(max_size=60))
def test_retry_after_never_raises(text, date):
    """Whatever stands there, it is a number of seconds or nothing."""
    seconds = retry_after({"Retry-After": text, "Date": date})
    assert seconds is None or seconds >= 0


@given(st.sampled_from(list(Signal)), st.text(max_size=30), st.binary(max_size=200), st.booleans())
def test_no_body_raises(signal, kind, body, strict):
    """Any bytes under any content type are OTLP's answer or none."""
    for named in (kind, "application/json", "application/x-protobuf"):
        answer = read_http(signal, named, body, str)
        assert answer is None or answer.rejected >= 0
    answer = read_protobuf(signal, body, str, strict=strict)
    assert answer is None or answer.rejected >= 0


@given(st.integers(100, 599), st.text(), st.text(), st.text())
def test_no_words_raise(status, kind, location, body):
    """Any words become one short line that a terminal shows as it is."""
    quote = quoting(Target("http://user:secret-word@h:1/", headers={"x": "Bearer hush-hush"}))
    for words in (body, f"{body}hush-hush{location}secret-word"):
        line = quote(seen(status, kind, location, words))
        assert len(line) <= 300
        assert line.isprintable()
        assert "hush-hush" not in line
        assert "secret-word" not in line


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    raw=st.binary(max_size=300), head=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 "])
)
def test_no_bytes_raise(raw, head):
    """Whatever a peer writes onto the wire, HTTP or not, the payload is kept or taken."""

    async def run():
        async def answer(reader, writer):
            await reader.read(64)
            writer.write(head + raw)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = Link(Signal.TRACES, Target(f"http://127.0.0.1:{port}/", timeout=2.0))
        try:
            return await link.send(PAYLOAD)
        finally:
            await link.close()
            server.close()

    assert isinstance(asyncio.run(run()), Accepted | Unavailable | Refused | TooLarge)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize(
    "setting",
    [
        {"headers": {"x y": "1"}},
        {"headers": {"x": "a\nb"}},
        {"headers": {"x": "\ud800"}},
        {"headers": {"": ""}},
        {"headers": {"content-length": "-1"}},
        {"certificate": "/nowhere/ca.pem"},
        {"certificate": __file__},
        {"client_certificate": "/nowhere/me.pem", "client_key": "/nowhere/me.key"},
        {"proxy": "http://[oops"},
        {"url": "http://[::1/"},
        {"url": "https://host:99999/"},
    ],
    ids=str,
)
async def test_no_setting_raises(setting, protocol):
    """Whatever a target is made of, sending fails as "not now", never with an exception."""
    target = {"url": f"https://127.0.0.1:{free_port()}/", "timeout": 1.0, **setting}
    link = Link(Signal.TRACES, Target(protocol=protocol, **target))
    answer = await link.send(PAYLOAD)
    await link.close()
    assert isinstance(answer, Unavailable)


async def test_a_certificate_that_comes_later_is_read(tmp_path):
    """A file that is mended under the same name needs no restart."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    trusted, files = tmp_path / "ca.pem", (tmp_path / "cert.pem", tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(files[0])
    certificate.private_key_pem.write_to_path(files[1])
    async with over_http2(200, {}, b"", files) as port:
        target = Target(f"https://localhost:{port}/", certificate=str(trusted))
        link = Link(Signal.TRACES, target)
        answer = await link.send(PAYLOAD)
        assert "ca.pem" in answer.reason
        authority.cert_pem.write_to_path(trusted)
        assert isinstance(await link.send(PAYLOAD), Accepted)
        await link.close()


async def test_a_transport_that_breaks_is_made_anew(collector):
    """What raises within a library costs one try, not all that follow."""
    link = Link(Signal.TRACES, Target(f"{collector.url}/v1/traces"))
    assert isinstance(await link.send(PAYLOAD), Accepted)
    await link._transport._session.close()
    answer = await link.send(PAYLOAD)
    assert isinstance(answer, Unavailable)
    assert "Session is closed" in answer.reason
    assert isinstance(await link.send(PAYLOAD), Accepted)
    await link.close()


@asynccontextmanager
async def over_http2(status, headers, body, files=None):
    """Serve one answer over HTTP/2; ``grpc-…`` headers come as trailers, as gRPC's own do.

    ``files`` are a certificate and its key; without them it is spoken with prior knowledge.
    """
    trailers = {name: value for name, value in headers.items() if name.startswith("grpc-")}

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        start = {"type": "http.response.start", "status": status, "trailers": bool(trailers)}
        await send({**start, "headers": _raw(headers.items() - trailers.items())})
        await send({"type": "http.response.body", "body": body})
        if trailers:
            await send({"type": "http.response.trailers", "headers": _raw(trailers.items())})

    config = Config()
    config.bind = [f"127.0.0.1:{free_port()}"]
    config.loglevel = "CRITICAL"
    if files is not None:
        config.certfile, config.keyfile = map(str, files)
    async with _serving(app, config):
        yield int(config.bind[0].rpartition(":")[2])


def _raw(pairs):
    return [(name.encode(), value.encode()) for name, value in pairs]


@asynccontextmanager
async def _serving(app, config):
    over = asyncio.Event()
    task = asyncio.create_task(serve(app, config, shutdown_trigger=over.wait))
    port = int(config.bind[0].rpartition(":")[2])
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                break
    yield
    over.set()
    await task


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (200, {"content-type": HTML}, PAGE, Unavailable),
        (200, {"content-type": "application/grpc"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "0"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "16"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "99"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "x"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "2"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "13"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "5"}, b"", Unavailable),
        (200, {"content-type": "application/grpc", "grpc-status": "3"}, b"", Refused),
        (200, {"content-type": "application/grpc", "grpc-status": "9"}, b"", Refused),
        (302, {"location": "https://sso.example.com/"}, b"", Unavailable),
        (403, {"content-type": HTML}, PAGE, Unavailable),
        (413, {"content-type": HTML}, PAGE, TooLarge),
        (429, {}, b"", Unavailable),
        (502, {"content-type": HTML}, PAGE, Unavailable),
        (504, {}, b"", Unavailable),
    ],
)
async def test_what_is_no_collector_over_http2(status, headers, body, kind):
    """gRPC meets a gateway: a page, a redirect, a code that nobody knows are "not now"."""
    async with over_http2(status, headers, body) as port:
        link = Link(Signal.TRACES, Target(f"http://127.0.0.1:{port}", "grpc", timeout=5.0))
        answer = await link.send(PAYLOAD)
        await link.close()
    assert isinstance(answer, kind), answer
    assert len(answer.reason) <= 320


def test_a_date_written_by_python_is_read():
    """``formatdate`` writes "-0000", as many gateways do."""
    text, now = formatdate(1_800_000_005), formatdate(1_800_000_000, usegmt=True)
    assert retry_after({"Retry-After": text, "Date": now}) == 5.0
