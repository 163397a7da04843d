"""The server on the loop of whoever runs it: signals stay theirs, and its end is theirs too."""

from __future__ import annotations

import asyncio
import select
import signal
import socket
import time
from contextlib import ExitStack

from starlette.applications import Starlette

from agent.server import serving as module
from agent.server.serving import listen, port_of, serving


async def test_signals_are_left_to_whoever_runs_the_server():
    """SIGTERM begins the agent's drain: the server takes no signal for itself."""
    taken = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in taken]
    async with serving(Starlette(), listen("127.0.0.1", 0)) as task:
        await asyncio.sleep(0)
        assert [signal.getsignal(number) for number in taken] == before
        assert not task.done()
    assert task.done()
    assert [signal.getsignal(number) for number in taken] == before


async def test_many_may_knock_at_once():
    """More may come than are accepted in a turn of the loop: the kernel's queue is longer, and
    none of them has to try again after a second."""
    address = listen("127.0.0.1", 0)
    number = module._AT_ONCE * 4
    async with serving(Starlette(), address):
        await asyncio.sleep(0.05)
        with ExitStack() as stack:
            waiting = select.poll()
            for _ in range(number):
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port_of(address)))
                waiting.register(client, select.POLLOUT)
            # Before any of them would try again.
            until = time.monotonic() + 0.9
            while len(come := waiting.poll(10)) < number and time.monotonic() < until:
                pass
            assert len(come) == number
