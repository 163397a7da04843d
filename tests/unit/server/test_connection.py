"""Clients that are slow, many or hostile are cut off, and others are answered meanwhile."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs

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
        async with asyncio.timeout(4.5):  # less than an idle connection may last
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
    assert await is_cut(reader)


async def test_who_does_not_take_the_answer_is_cut_off(served, impatient):
    """What waits for a client that reads nothing is let go of, with its file: as long as it is
    sent, and when all of it waits in the server."""
    for size in (50_000_000, 30_000):
        served.keep("some.zip", b"x" * size)
        with await slow_client(served, "/artifacts/some.zip"):
            await until(lambda: served.connections)
            await until(lambda: not served.connections)


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
    monkeypatch.setattr(connection, "_ASK_WITHIN", 1.0)
    monkeypatch.setattr(connection, "_TAKE_WITHIN", 1.0)
    served.keep("big.zip", b"x" * 5_000_000)
    loop = asyncio.get_running_loop()
    started, got = loop.time(), 0
    with await slow_client(served, "/artifacts/big.zip") as client:
        while got < 5_000_000:
            piece = await loop.sock_recv(client, 1 << 16)
            assert piece, got
            got += len(piece)
            await asyncio.sleep(0.02)
    assert loop.time() - started > 1.2


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


BROKEN = {
    "a chunk's length is none": b"-1\r\n",
    "a chunk's length has no end": b"f" * 30 + b"\r\n",
    "a chunk is longer than it says": b"1\r\nxxxx\r\n",
    "what follows the last chunk is no header": b"0\r\n\x00\r\n\r\n",
    "a chunk says more about itself than fits": b"5;" + b"x" * 40_000 + b"\r\nhello\r\n",
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_body_that_breaks_is_the_clients_fault(served, kind):
    """It is answered 400, or, where the answer had begun, cut off; the log has no error of it, or
    anybody could fill it."""
    served.keep("big.zip", b"x" * 3_000_000)
    for line in (b"POST /healthz", b"POST /api/v1/runs", b"GET /api/v1/runs", b"GET /nothing"):
        for apart in (False, True):
            reader, writer = await served.connect()
            head = line + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            with capture_logs() as told:
                writer.write(head + (b"1\r\nx\r\n" if apart else b""))
                if apart:
                    await asyncio.sleep(0.01)
                writer.write(BROKEN[kind])
                status = await reader.readline()
                assert status[9:12] in {b"400", b"401", b"404", b"200"}, status
                assert await is_cut(reader)
            assert told == []
    reader, writer = await served.connect()
    writer.write(head.replace(b"/nothing", b"/artifacts/big.zip"))
    await reader.readline()
    writer.write(BROKEN[kind])
    assert await is_cut(reader)


async def test_beyond_the_most_the_oldest_that_only_waits_goes(served, monkeypatch):
    """Who asks is answered though others hold every place; who is being answered keeps his."""
    monkeypatch.setattr(connection, "_MOST", 8)
    monkeypatch.setattr(connection, "_MOST_OF_ALL", 8)
    served.keep("big.zip", b"x" * 30_000_000)
    answered = await served.connect()
    answered[1].write(b"GET /artifacts/big.zip HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await answered[0].readline()
    taking = asyncio.create_task(answered[0].readexactly(30_000_000))
    held = [await served.connect() for _ in range(20)]
    for _, writer in held:
        writer.write(HEAD)
    reader, writer = await served.connect()
    writer.write(HEAD + b"\r\n")
    async with asyncio.timeout(15):
        assert b" 200 " in await reader.readline()
    assert await is_cut(held[0][0])
    await until(lambda: len(served.connections) <= 9)
    async with asyncio.timeout(60):
        assert len(await taking) == 30_000_000


async def test_a_newcomer_is_spared_until_there_is_no_more_room(served, monkeypatch):
    """Beyond the most, nobody goes that has only just come: with the requests of many on their
    way at once, each is answered."""
    monkeypatch.setattr(connection, "_MOST", 4)
    monkeypatch.setattr(connection, "_SPARED", 5.0)
    came = [await served.connect() for _ in range(60)]
    for _, writer in came:
        writer.write(HEAD + b"\r\n")
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(reader.readline() for reader, _ in came))
    assert all(b" 200 " in answer for answer in answers)


async def test_where_all_is_full_the_oldest_go(served, monkeypatch):
    """With every place taken by those who have only just come, who asks still gets one."""
    monkeypatch.setattr(connection, "_MOST", 4)
    monkeypatch.setattr(connection, "_MOST_OF_ALL", 64)
    monkeypatch.setattr(connection, "_SPARED", 60.0)
    held = [await served.connect() for _ in range(150)]
    reader, writer = await served.connect()
    writer.write(HEAD + b"\r\n")
    async with asyncio.timeout(15):
        assert b" 200 " in await reader.readline()
    assert await is_cut(held[0][0])
    assert len(served.connections) <= 65


MANY = (HEAD + b"\r\n") * 100
ABUSES = {
    "healths pipelined, no answer read": [MANY] * 50,
    "readiness pipelined, no answer read": [MANY.replace(b"healthz", b"readyz")] * 50,
    "runs pipelined, no answer read": [MANY.replace(b"healthz", b"api/v1/runs")] * 50,
    "unknown paths pipelined": [MANY.replace(b"healthz", b"nothing")] * 50,
    "nothing said": [],
    "a head without an end": [HEAD + b"X: x"],
    "a head of many headers": [HEAD + b"X: x\r\n" * 1000],
    "one header without measure": [HEAD + b"X: " + b"x" * 15_000],
    "a body that is slow": [HEAD + b"Content-Length: 100\r\n\r\nx"],
    "a body without an end": [HEAD + b"Content-Length: 1000000000\r\n\r\n", b"x" * 10_000_000],
    "a body of tiny chunks": [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000
    ],
    "HTTP/1.0, kept alive": [b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"],
    "idle after one answer": [HEAD + b"\r\n"],
    "an upgrade that nobody offers": [HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    "a body that waits to be asked for": [
        HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    ],
    "no HTTP": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    "empty lines": [b"\r\n" * 200_000],
}


@pytest.mark.parametrize("kind", ABUSES)
async def test_health_answers_while_anything_else_is_abused(served, monkeypatch, kind):
    """More connections than may wait, each of which comes again once it is cut off, and never
    reads: who asks for health is answered, each time and soon."""
    monkeypatch.setattr(connection, "_MOST", 8)
    monkeypatch.setattr(connection, "_MOST_OF_ALL", 64)
    monkeypatch.setattr(connection, "_SPARED", 0.1)
    served.ran("buy", "fail")

    async def abuse():
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1)
            except OSError:
                continue
            try:
                for piece in ABUSES[kind]:
                    writer.write(piece)
                    await writer.drain()
                await asyncio.sleep(60)
            except ConnectionError:
                await asyncio.sleep(0.01)
            finally:
                writer.transport.abort()

    abusers = [asyncio.create_task(abuse()) for _ in range(24)]
    await asyncio.sleep(0.3)
    for path in (b"healthz", b"readyz") * 4:
        async with asyncio.timeout(15):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(HEAD.replace(b"healthz", path) + b"\r\n")
            assert b" 200 " in await reader.readline(), path
            writer.close()
    for one in abusers:
        one.cancel()
    await asyncio.gather(*abusers, return_exceptions=True)


async def test_pipelined_requests_are_answered_in_their_turn(served):
    """Each gets its answer, in order, and those that came ahead no more than one each pause."""
    reader, writer = await served.connect()
    writer.write(HEAD + b"\r\n" + HEAD.replace(b"healthz", b"nothing") + b"\r\n" + HEAD + b"\r\n")
    statuses, started = [], asyncio.get_running_loop().time()
    for _ in range(3):
        statuses.append(await reader.readline())
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (int(x[15:]) for x in head.split(b"\r\n") if x.startswith(b"content-length"))
        await reader.readexactly(length)
    assert [status[9:12] for status in statuses] == [b"200", b"404", b"200"]
    assert asyncio.get_running_loop().time() - started >= 2 * connection._PAUSE


async def test_who_has_nothing_more_to_ask_is_answered(served):
    """A client may close its own side at once; the answer comes, and then the end."""
    for path in (b"healthz", b"readyz", b"api/v1/journeys"):
        reader, writer = await served.connect()
        writer.write(HEAD.replace(b"healthz", path) + b"\r\n")
        writer.write_eof()
        async with asyncio.timeout(15):
            answer = await reader.read()
        assert b" 200 " in answer[:20], path


async def test_what_was_reset_while_it_waited_is_not_read(served, monkeypatch):
    """A flood of resets costs no more than letting go of them."""
    read = []
    monkeypatch.setattr(connection.LimitedConnection, "data_received", lambda *_: read.append(1))
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(HEAD + b"\r\n")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await asyncio.sleep(0.1)
    monkeypatch.undo()
    assert read == []
    reader, writer = await served.connect()
    writer.write(HEAD + b"\r\n")
    assert b" 200 " in await reader.readline()
    await until(lambda: len(served.connections) == 1)


async def test_little_is_read_of_a_client_at_a_time(served):
    """No client's piece keeps the others waiting: a body of tiny chunks is read in small ones."""
    sizes = []
    received = connection.LimitedConnection.data_received

    def count(self, data):
        sizes.append(len(data))
        received(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.LimitedConnection, "data_received", count)
        reader, writer = await served.connect()
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000)
        assert await is_cut(reader)
    assert max(sizes) <= connection._PIECE
    assert sum(sizes) < 200_000  # what came after the answer is not read at all


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
            await until(lambda: len(served.connections) == 4)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 15
        await until(lambda: not served.connections)
