"""What a journey leaves on the worker's loop is gone before the next one."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

import pytest

from agent.worker.isolation import Isolation


@pytest.fixture
async def isolation():
    loop = asyncio.get_running_loop()
    # On a loop of its own, since what it puts in place stays there.
    made = Isolation(loop)
    made.begin()
    yield made
    loop.set_task_factory(None)
    for name in ("add_reader", "add_writer"):
        delattr(loop, name)


async def walk(isolation, work):
    """Do what a journey does, in a task of its own, and put the process right."""

    async def journey():
        isolation.enter()
        await work()

    await asyncio.create_task(journey())
    return await isolation.clear()


async def is_woken(sock):
    """Whether the loop notices that something can be read."""
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    loop.add_reader(sock.fileno(), woken.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(woken.wait(), 30)
    loop.remove_reader(sock.fileno())
    return woken.is_set()


@pytest.mark.parametrize("kind", ["reader", "writer", "both", "by its file"])
async def test_a_descriptor_that_was_closed_while_it_was_watched(isolation, kind):
    """Whoever gets its number next is woken as ever."""
    number = -1

    async def work():
        nonlocal number
        ours, theirs = socket.socketpair()
        # Full, so that it is not woken for that it can be written.
        ours.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                ours.send(b"x" * 65536)
        number = ours.fileno()
        loop = asyncio.get_running_loop()
        if kind in {"reader", "both"}:
            loop.add_reader(number, lambda: None)
        if kind in {"writer", "both"}:
            loop.add_writer(number, lambda: None)
        if kind == "by its file":
            loop.add_reader(ours, lambda: None)
        os.close(ours.detach())
        theirs.close()

    assert await walk(isolation, work) == []
    pair = socket.socketpair()
    with pair[0], pair[1]:
        # The lowest number that is free is given first.
        again, other = pair if pair[0].fileno() == number else pair[::-1]
        assert again.fileno() == number
        other.send(b"x")
        assert await is_woken(again)


async def test_a_descriptor_that_is_still_open_wakes_nobody_any_more(isolation):
    """A callback of one journey is not called under the next."""
    called = []
    ours, theirs = socket.socketpair()

    async def work():
        asyncio.get_running_loop().add_reader(ours.fileno(), called.append, 1)

    with ours, theirs:
        await walk(isolation, work)
        theirs.send(b"x")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert called == []


async def test_what_the_agent_itself_watches_stays(isolation):
    """Only what a journey's own tasks asked for goes."""
    ours, theirs = socket.socketpair()
    woken = asyncio.Event()
    with ours, theirs:
        asyncio.get_running_loop().add_reader(ours.fileno(), woken.set)
        await walk(isolation, lambda: asyncio.sleep(0))
        theirs.send(b"x")
        await asyncio.wait_for(woken.wait(), 30)
        asyncio.get_running_loop().remove_reader(ours.fileno())


async def test_a_connection_that_has_the_number_by_now_goes_on(isolation):
    """It is the loop's own, and is watched for that."""
    ours, theirs = socket.socketpair()
    number = ours.fileno()

    async def work():
        loop = asyncio.get_running_loop()
        loop.add_reader(number, lambda: None)
        loop.remove_reader(number)

    await asyncio.create_task(_as_journey(isolation, work))
    reader, writer = await asyncio.open_connection(sock=ours)
    assert await isolation.clear() == []
    theirs.send(b"x")
    assert await asyncio.wait_for(reader.read(1), 30) == b"x"
    writer.close()
    await writer.wait_closed()
    theirs.close()


async def _as_journey(isolation, work):
    isolation.enter()
    await work()
