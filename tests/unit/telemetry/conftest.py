"""Runs to encode, a clock that only moves when told, and collectors of the suite's own."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from aiohttp import web

from agent.core.clock import SystemClock
from agent.core.results import Result
from agent.storage import totals
from agent.storage.database import Database
from agent.telemetry import logs, spans
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.sender import Sender
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Bounds, Spool
from agent.telemetry.resource import ResourceInfo, describe
from agent.telemetry.telemetry import SCHEMA
from tests.support.clock import ManualClock
from tests.support.collector import Collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

START = 1_800_000_000.0


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
    return ManualClock(waits=True)


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
