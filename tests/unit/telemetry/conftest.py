"""Runs to encode, a clock that only moves when told, and collectors of the suite's own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from aiohttp import web

from agent.audit import Audit, BeaconAction
from agent.clock import SystemClock
from agent.database import Database
from agent.errors import ErrorType
from agent.model import (
    Attempt,
    Cadence,
    Journey,
    Result,
    RunResult,
    Site,
    SpanData,
    Step,
    StepOutcome,
    Trigger,
    Vital,
)
from agent.telemetry import logs, spans, totals
from agent.telemetry.export import resolve
from agent.telemetry.resource import ResourceInfo, describe
from agent.telemetry.sender import Sender
from agent.telemetry.signals import Signal
from agent.telemetry.spool import Bounds, Spool
from agent.telemetry.telemetry import SCHEMA
from tests.support.collector import Collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

START = 1_800_000_000.0


class ManualClock:
    """Time that passes only in ``advance``; ``sleeps`` keeps what was asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []
        self._asked = asyncio.Event()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def wall(self) -> float:
        return START + self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._asked.set()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        await future

    async def asked(self, count: int) -> None:
        """Wait until so many sleeps were asked for."""
        async with asyncio.timeout(10):
            while len(self.sleeps) < count:
                self._asked.clear()
                await self._asked.wait()

    async def sleeping(self, seconds: float) -> None:
        """Wait until somebody sleeps for just so long."""
        async with asyncio.timeout(10):
            while not any(
                until == self.now + seconds and not future.done()
                for until, future in self._sleepers
            ):
                self._asked.clear()
                await self._asked.wait()

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for until, future in self._sleepers:
            if until <= self.now and not future.done():
                future.set_result(None)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/{signal}", collector.http)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    server = grpc.aio.server()
    for signal, service in (
        ("traces", "trace.v1.TraceService"),
        ("metrics", "metrics.v1.MetricsService"),
        ("logs", "logs.v1.LogsService"),
    ):
        handler = grpc.unary_unary_rpc_method_handler(partial(collector.rpc, signal))
        server.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    f"opentelemetry.proto.collector.{service}", {"Export": handler}
                )
            ]
        )
    port = server.add_insecure_port("127.0.0.1:0")
    collector.grpc_url = f"http://127.0.0.1:{port}"
    await server.start()
    yield collector
    await server.stop(0)
    await runner.cleanup()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def identity() -> ResourceInfo:
    return ResourceInfo("1.2.3", "agent-7", "production", "eu-west-1")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "footfall.db", [SCHEMA], SystemClock())
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def journey() -> Journey:
    return Journey(
        name="buy_a_mug",
        site=Site("shop", "http://127.0.0.1:1", ("http://127.0.0.1:1",)),
        file="shop.py",
        line=7,
        cadence=Cadence(seconds=60.0),
        interval=60.0,
        timeout=20.0,
        grace=2.0,
        confirm=True,
        enabled=True,
        owner="checkout",
        runbook="https://runbooks.example/mug",
        severity="page",
    )


@pytest.fixture
def make_run(journey: Journey) -> Callable[..., RunResult]:
    """Builds a run: by default one attempt that passed, with a step and a request."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"

    def attempt(number: int, result: Result, error: ErrorType | None) -> Attempt:
        own = f"a0000000000000{number:02x}"
        step = f"b0000000000000{number:02x}"
        begin = int((START + 2 * number) * 1e9)
        spans = (
            SpanData(
                "GET", trace_id, f"c0000000000000{number:02x}", step, begin, begin + 5, "client",
                attributes={"http.request.method": "GET"},
                links=((trace_id, "d000000000000001"),),
            ),
            SpanData(
                "step Pay", trace_id, step, own, begin, begin + 9,
                attributes={"footfall.step.name": "Pay"},
            ),
        )  # fmt: skip
        return Attempt(
            number=number,
            result=result,
            audit=Audit(counts={BeaconAction.BLOCKED: {"Matomo": 2}}),
            span_id=own,
            started_at=START + 2 * number,
            duration=1.5,
            error_type=error,
            error="Pay is\n  disabled" if error else "",
            steps=(
                Step("Pay", StepOutcome.FAIL if error else StepOutcome.PASS, 0.7),
                Step("Read the receipt", StepOutcome.SKIPPED),
            ),
            spans=spans,
            requests={"first ok": 3, "third failed": 1},
            vitals=(Vital("lcp", 1.2), Vital("cls", 0.02)),
            artifacts=(f"run/{number}/screenshot.png",),
        )

    def make(result: Result = Result.PASS, **changes: Any) -> RunResult:
        target, agent = ErrorType.ASSERTION, ErrorType.CANARY
        attempts = {
            Result.PASS: (attempt(1, Result.PASS, None),),
            Result.FLAKY: (attempt(1, Result.FAIL, target), attempt(2, Result.PASS, None)),
            Result.FAIL: (attempt(1, Result.FAIL, target), attempt(2, Result.FAIL, target)),
            Result.NOT_MEASURED: (attempt(1, Result.NOT_MEASURED, agent),),
        }[result]
        first = attempts[-1] if result is Result.NOT_MEASURED else attempts[0]
        run = RunResult(
            run_id="run-1",
            journey=journey,
            location="eu-west-1",
            trigger=Trigger.SCHEDULE,
            trace_id=trace_id,
            span_id="9000000000000001",
            scheduled_at=START,
            started_at=START + 1,
            ended_at=START + 8,
            result=result,
            error_type=first.error_type,
            error=first.error,
            duration=1.5,
            attempts=attempts,
            decided_by=len(attempts) - 1,
        )
        return replace(run, **changes)

    return make


@pytest.fixture
def spool() -> Spool:
    return Spool(Bounds(size=10**7, age=10**6))


@pytest.fixture
def put(database: Database, spool: Spool, make_run: Any, identity: ResourceInfo) -> Any:
    """Spools runs, one payload each of spans and log."""
    resource = describe(identity, {})

    async def put(*run_ids):
        def work(connection):
            for run_id in run_ids:
                run = make_run(Result.PASS, run_id=run_id)
                payload, items = spans.encode_run(run, resource, "1")
                spool.put(connection, Signal.TRACES, payload, items, 0.0)
                spool.put(connection, Signal.LOGS, logs.encode_run(run, resource, "1"), 1, 0.0)

        await database.transaction(work)

    return put


@pytest.fixture
async def start(database: Database, spool: Spool, clock: ManualClock) -> AsyncIterator[Any]:
    senders = []

    def start(endpoint, protocol="http/protobuf", **environment):
        export = resolve(environment, endpoint=endpoint, protocol=protocol)
        sender = Sender(database, spool, export.targets, clock)
        sender.start()
        senders.append(sender)
        return sender

    yield start
    for sender in senders:
        for task in sender.tasks:
            task.cancel()
        stopping = asyncio.create_task(sender.stop(0))
        await asyncio.wait([stopping])


@pytest.fixture
def waiting(database: Database, spool: Spool) -> Any:
    async def waiting(signal):
        return (await database.transaction(spool.backlog))[signal].items

    return waiting


@pytest.fixture
def books(database: Database) -> Any:
    async def books(metric):
        found = await database.transaction(totals.read)
        return {t.attributes["signal"]: t.value for t in found if t.metric == metric}

    return books
