"""OTLP goes through a proxy where one is named, over both protocols, and through none else."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from agent.telemetry.delivery.destination import Target
from agent.telemetry.delivery.link import Link
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.transport import Accepted, Unavailable
from tests.support.service import free_port


@asynccontextmanager
async def proxy(collector_port, answer=b"200 OK"):
    """A proxy that leads every request to one port, and keeps what it was asked."""
    asked = []

    async def copy(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def handle(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode())
        if not answer.startswith(b"200"):
            writer.write(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n")
            writer.close()
            return
        there, onward = await asyncio.open_connection("127.0.0.1", collector_port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            path = head.split(b" ", 2)[1].split(b"/", 3)[3]
            onward.write(head.replace(head.split(b" ", 2)[1], b"/" + path, 1))
        await asyncio.gather(copy(reader, onward), copy(there, writer), return_exceptions=True)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    server.close()


def port_of(url):
    return int(url.rpartition(":")[2])


async def sent(target):
    link = Link(Signal.TRACES, target)
    try:
        return await link.send(b"")
    finally:
        await link.close()


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_what_is_named_is_used(protocol, collector):
    """A host that only the proxy can reach is reached, with the proxy's credentials."""
    port = port_of(collector.grpc_url if protocol == "grpc" else collector.url)
    path = "" if protocol == "grpc" else "/v1/traces"
    async with proxy(port) as (address, asked):
        target = Target(
            f"http://collector.invalid:4318{path}",
            protocol,
            timeout=5.0,
            proxy=f"http://me:hush-hush@{address}",
        )
        answer = await sent(target)
    assert isinstance(answer, Accepted), answer
    assert "collector.invalid" in asked[0]
    credentials = base64.b64encode(b"me:hush-hush").decode()
    assert f"basic {credentials}".lower() in asked[0].lower()


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_a_proxy_that_refuses_is_an_outage(protocol):
    """407 of the proxy, or its absence, keeps the payload, and its password stays unsaid."""
    async with proxy(0, b"407 Proxy Authentication Required") as (address, _):
        for where in (address, f"127.0.0.1:{free_port()}"):
            target = Target(
                "http://collector.invalid:4318/",
                protocol,
                timeout=2.0,
                proxy=f"http://me:hush-hush@{where}",
            )
            answer = await sent(target)
            assert isinstance(answer, Unavailable)
            assert "hush" not in answer.reason


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_libraries_read_no_variables_of_their_own(protocol, collector, monkeypatch):
    """Where our rule says "directly", a variable that a library would read is no detour."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("grpc_proxy", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
        monkeypatch.setenv(name.upper(), nowhere)
    monkeypatch.setenv("no_proxy", "")
    url = collector.grpc_url if protocol == "grpc" else f"{collector.url}/v1/traces"
    assert isinstance(await sent(Target(url, protocol, timeout=5.0)), Accepted)
