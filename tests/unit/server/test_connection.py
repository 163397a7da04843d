"""Clients that are slow, many or hostile are cut off, and others are answered meanwhile."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from agent.server import connection
from tests.support.api import Served
from tests.support.daemon import until

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "_ASK_WITHIN", 0.3)
    monkeypatch.setattr(connection, "_TAKE_WITHIN", 0.3)


async def is_cut(reader):
    """Whether the other side ends the connection, whatever it sent before."""
    try:
        async with asyncio.timeout(4):  # less than an idle connection may last
            while await reader.read(1 << 16):
                pass
    except ConnectionError:
        pass
    return True


async def test_who_does_not_finish_asking_is_cut_off(served, impatient):
    """A connection without a word, a head without an end; on a connection used before too."""
    readers = []
    for sent in (b"", b"G", HEAD, HEAD + b"\r\n" + HEAD):
        reader, writer = await served.connect()
        writer.write(sent)
        readers.append(reader)
    assert all(await asyncio.gather(*map(is_cut, readers)))


async def test_a_byte_now_and_then_does_not_buy_time(served, impatient):
    """The whole head must come in time, however busily it comes."""
    reader, writer = await served.connect()
    cut = asyncio.create_task(is_cut(reader))
    writer.write(HEAD + b"X: ")
    while not cut.done():
        writer.write(b"x")
        await asyncio.wait({cut}, timeout=0.02)
    assert await cut


async def test_a_body_that_never_ends_is_cut_off(served, impatient):
    """Nothing here takes one: the answer comes, and the connection goes."""
    reader, writer = await served.connect()
    writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
    assert b" 200 " in await reader.readline()
    cut = asyncio.create_task(is_cut(reader))
    while not cut.done():
        writer.write(b"x")
        await asyncio.wait({cut}, timeout=0.02)
    assert await cut


async def test_who_does_not_take_the_answer_is_cut_off(served, impatient):
    """What waits for a client that reads nothing is let go of, with its file: as long as it is
    sent, and when all of it waits in the server."""
    for size in (50_000_000, 30_000):
        served.keep("some.zip", b"x" * size)
        with await slow_client(served, "/artifacts/some.zip"):
            await until(lambda: served.connections, 10)
            await until(lambda: not served.connections, 4)


async def slow_client(served, path):
    """Ask for a file on a socket that takes little of it by itself."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", served.port))
    await loop.sock_sendall(client, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


async def test_who_is_slow_but_takes_it_is_served(served, monkeypatch):
    """A download may last longer than any of the bounds."""
    monkeypatch.setattr(connection, "_ASK_WITHIN", 0.5)
    monkeypatch.setattr(connection, "_TAKE_WITHIN", 0.5)
    served.keep("big.zip", b"x" * 3_000_000)
    loop = asyncio.get_running_loop()
    started, got = loop.time(), 0
    with await slow_client(served, "/artifacts/big.zip") as client:
        while got < 3_000_000:
            piece = await loop.sock_recv(client, 1 << 16)
            assert piece, got
            got += len(piece)
            await asyncio.sleep(0.02)
    assert loop.time() - started > 0.7


async def test_a_head_that_is_no_head_is_refused(served):
    """An address or headers without measure, and what is no HTTP at all."""
    for sent in (
        b"GET /" + b"x" * 400_000,
        HEAD + b"X: " + b"x" * 400_000,
        HEAD + b"X: x\r\n" * 60_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP\r\n\r\n",
    ):
        reader, writer = await served.connect()
        writer.write(sent)
        assert b" 400 " in await reader.readline(), sent[:50]
        assert await is_cut(reader)


async def test_beyond_the_most_the_oldest_that_only_waits_goes(served, monkeypatch):
    """Who asks is answered though others hold every place; who is being answered keeps his."""
    monkeypatch.setattr(connection, "_MOST", 8)
    served.keep("big.zip", b"x" * 30_000_000)
    answered = await served.connect()
    answered[1].write(b"GET /artifacts/big.zip HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await answered[0].readline()
    held = [await served.connect() for _ in range(20)]
    for _, writer in held:
        writer.write(HEAD)
    reader, writer = await served.connect()
    writer.write(HEAD + b"\r\n")
    async with asyncio.timeout(5):
        assert b" 200 " in await reader.readline()
    assert await is_cut(held[0][0])
    await until(lambda: len(served.connections) == 8, 10)
    async with asyncio.timeout(20):
        assert len(await answered[0].readuntil(b"\r\n\r\n")) > 0
        await answered[0].readexactly(30_000_000)


async def test_the_end_closes_every_connection(tmp_path):
    """Idle, asking, or not taking its answer: none holds up the drain."""
    async with AsyncExitStack() as clients:
        async with Served(tmp_path) as served:
            served.keep("big.zip", b"x" * 50_000_000)
            for sent in (b"", HEAD, HEAD + b"\r\n"):
                _, writer = await asyncio.open_connection("127.0.0.1", served.port)
                clients.callback(writer.close)
                writer.write(sent)
            clients.enter_context(await slow_client(served, "/artifacts/big.zip"))
            await until(lambda: len(served.connections) == 4, 10)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 4
        await until(lambda: not served.connections, 1)
