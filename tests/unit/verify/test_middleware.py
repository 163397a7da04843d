"""The middleware: what the application sees, and what becomes of claims that aren't verified."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import aiohttp
import pytest
import uvicorn
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import use_span
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.verify import Reason, Synthetic, SyntheticMiddleware, SyntheticWsgiMiddleware
from tests.unit.verify.conftest import CLAIM, HOST

VERIFIED = Synthetic("buy_a_mug", "0197-ab", verified=True)
UNSIGNED = Synthetic("buy_a_mug", "0197-ab", verified=False, reason=Reason.UNSIGNED)
FORGED = {**CLAIM, "Signature-Input": "sig1=()", "Signature": "sig1=::"}
SPAN_MARK = {"user_agent.synthetic.type": "test"}


class Application:
    """An application of either kind that remembers what it was given."""

    def __init__(self, answer: bytes = b"hello") -> None:
        self.answer = answer
        self.seen: list[Any] = []

    async def asgi(self, scope, receive, send) -> None:
        self.seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.answer})

    def wsgi(self, environ, start_response):
        self.seen.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [self.answer]


async def nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def over_asgi(verifier, headers, kind="http", **options) -> tuple[int, bytes, list[Any]]:
    """Send one request: status, body, and the scopes that the application saw."""
    application = Application()
    if "divert_to" in options:
        options["divert_to"] = options["divert_to"].asgi
    sent: list[Any] = []

    async def send(message) -> None:
        sent.append(message)

    lines = {"Host": HOST, **headers}.items()
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in lines]
    middleware = SyntheticMiddleware(application.asgi, verifier, **options)
    scope = {"type": kind, "headers": raw, "state": {}}
    asyncio.run(middleware(scope, nothing, send))
    assert "footfall.synthetic" not in scope
    return sent[0]["status"], sent[1]["body"], application.seen


def over_wsgi(verifier, headers, **options) -> tuple[int, bytes, list[Any]]:
    """Send one request by WSGI, its rules checked on both sides of the middleware."""
    application = Application()
    if "divert_to" in options:
        options["divert_to"] = validator(options["divert_to"].wsgi)
    statuses: list[str] = []

    def start_response(status, headers, exc_info=None):
        statuses.append(status)
        return lambda data: None

    lines = {"Host": HOST, **headers}.items()
    environ: dict[str, Any] = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in lines}
    environ["QUERY_STRING"] = ""
    setup_testing_defaults(environ)
    served = SyntheticWsgiMiddleware(validator(application.wsgi), verifier, **options)
    answer = validator(served)(environ, start_response)
    body = b"".join(answer)
    answer.close()
    return int(statuses[0].split()[0]), body, application.seen


@pytest.fixture(params=[over_asgi, over_wsgi], ids=["asgi", "wsgi"])
def request_(request):
    return request.param


def test_what_the_application_sees(request_, verifier, signed) -> None:
    """Each request carries a ``Synthetic``, or None; nothing else changes."""
    for headers, expected in [({}, None), (signed, VERIFIED), (CLAIM, UNSIGNED)]:
        status, body, (seen,) = request_(verifier, headers)
        assert (status, body) == (200, b"hello")
        assert seen["footfall.synthetic"] == expected
        if "state" in seen:
            assert seen["state"] == {"synthetic": expected}


@pytest.mark.parametrize("headers", [CLAIM, FORGED, {"Cookie": "synthetic=1"}])
def test_refused(request_, verifier, headers) -> None:
    """A claim that isn't verified gets 403, and the application never sees it."""
    status, body, seen = request_(verifier, headers, unverified="refuse")
    assert (status, seen) == (403, [])
    assert b"must be signed" in body


def test_diverted(request_, verifier) -> None:
    """A claim that isn't verified goes to the other application, which is told of it."""
    other = Application(b"decoy")
    status, body, seen = request_(verifier, CLAIM, unverified="divert", divert_to=other)
    assert (status, body, seen) == (200, b"decoy", [])
    assert other.seen[0]["footfall.synthetic"] == UNSIGNED


@pytest.mark.parametrize("unverified", ["mark", "refuse", "divert"])
def test_who_passes_always(request_, verifier, signed, unverified) -> None:
    """Visitors and verified requests reach the application under every policy."""
    other = {"divert_to": Application()} if unverified == "divert" else {}
    for headers in ({}, {"Cookie": "a=1"}, signed):
        status, body, seen = request_(verifier, headers, unverified=unverified, **other)
        assert (status, body, len(seen)) == (200, b"hello", 1)


def test_the_authority(request_, verifier, signed) -> None:
    """The Host header tells the authority, unless a name is given, or what finds it."""

    def seen_with(headers, **options) -> Synthetic:
        return request_(verifier, {**signed, **headers}, **options)[2][0]["footfall.synthetic"]

    behind = {"Host": "10.0.0.7:8000", "X-Forwarded-Host": HOST}
    assert seen_with(behind).reason is Reason.WRONG
    assert seen_with(behind, authority=HOST).verified
    assert seen_with(behind, authority=lambda _: HOST).verified
    assert seen_with({"Host": HOST}, authority="other.example.com").reason is Reason.WRONG
    assert seen_with({"Host": ""}).reason is Reason.WRONG


@pytest.mark.parametrize("middleware", [SyntheticMiddleware, SyntheticWsgiMiddleware])
def test_options_that_do_not_fit(verifier, middleware) -> None:
    """A policy that can't be followed is a mistake at the start."""
    for options in (
        {"unverified": "block"},
        {"unverified": "divert"},
        {"divert_to": Application()},
        {"unverified": "refuse", "divert_to": Application()},
    ):
        with pytest.raises(ValueError, match="unverified"):
            middleware(None, verifier, **options)


def test_the_span(request_, verifier, signed) -> None:
    """The span of a verified request is marked; that of a visitor or a forger never is."""
    tracer = TracerProvider().get_tracer("test")
    for headers, expected in [(signed, SPAN_MARK), (CLAIM, {}), (FORGED, {}), ({}, {})]:
        span = tracer.start_span("GET /")
        with use_span(span, end_on_exit=True):
            request_(verifier, headers)
        assert dict(span.attributes) == expected


@pytest.mark.parametrize("unverified", ["mark", "refuse"])
def test_web_sockets(verifier, unverified) -> None:
    """A handshake carries no signature, so it is marked and never refused."""
    seen = over_asgi(verifier, {"Cookie": "synthetic=1"}, "websocket", unverified=unverified)[2]
    assert seen[0]["footfall.synthetic"] == Synthetic(
        "", "", verified=False, reason=Reason.UNSIGNED
    )


def test_other_scopes(verifier) -> None:
    """What is neither a request nor a socket, such as lifespan, goes through untouched."""
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append(scope)

    scope = {"type": "lifespan"}
    asyncio.run(SyntheticMiddleware(app, verifier)(scope, nothing, nothing))
    assert seen == [scope]


def test_two_hosts(verifier, signed) -> None:
    """A request with two Host headers belongs to neither."""
    seen: list[Any] = []

    async def app(scope, receive, send) -> None:
        seen.append(scope["footfall.synthetic"])

    lines = [*signed.items(), ("Host", HOST), ("Host", "other.example.com")]
    raw = [(name.lower().encode(), value.encode()) for name, value in lines]
    asyncio.run(
        SyntheticMiddleware(app, verifier)({"type": "http", "headers": raw}, nothing, nothing)
    )
    assert seen[0].reason is Reason.WRONG


class Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def served(app):
    """A real server on a free port of loopback."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = Server(config)
    task = asyncio.create_task(server.serve())
    await server.listens.wait()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_a_real_server(verifier, signed) -> None:
    """Under a real server, a Starlette application reads the mark off its own request."""

    async def tell(request):
        synthetic = request.state.synthetic
        return JSONResponse(synthetic and [synthetic.journey, synthetic.verified])

    app = Starlette(routes=[Route("/", tell)])
    app.add_middleware(SyntheticMiddleware, verifier=verifier, unverified="refuse")
    async with served(app) as url, aiohttp.ClientSession(headers={"Host": HOST}) as client:
        for headers, expected in [({}, (200, None)), (signed, (200, ["buy_a_mug", True]))]:
            async with client.get(url, headers=headers) as answer:
                assert (answer.status, await answer.json()) == expected
        async with client.get(url, headers=FORGED) as answer:
            assert answer.status == 403
