"""A connection, where the moment matters."""

from __future__ import annotations

import asyncio

import pytest
from nats.aio.client import Client

from agent.queue.nats.session import Session


@pytest.mark.parametrize("quietly", [False, True])
async def test_who_is_cancelled_as_the_answer_comes_is_cancelled(quietly):
    """The client's own waits forget a cancellation in that moment; a task that was to end with
    the agent would go on for ever."""
    session = Session(Client(), "nats://example.com")
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    waits = session._quietly if quietly else session._in_time
    task = asyncio.create_task(waits(asyncio.wait_for(answer, 60)))
    while not answer._callbacks:  # noqa: ASYNC110 - as it waits for nothing else
        await asyncio.sleep(0)
    answer.set_result(b"")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
