"""Waiting for the first of several things."""

from __future__ import annotations

import asyncio

import pytest

from agent.core.first_of import first_of


async def test_the_first_ends_it_and_coroutines_go():
    """A future is somebody else's and stays; a coroutine that lost is cancelled and awaited."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    gone = []

    async def loser() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            gone.append(True)
            raise

    await first_of(future, loser(), asyncio.sleep(0))
    assert gone == [True]
    assert not future.done()
    future.set_result(1)
    await first_of(future, asyncio.sleep(3600))


async def test_the_limit_ends_it():
    """Nothing need be done by then."""
    async with asyncio.timeout(5):
        await first_of(asyncio.sleep(3600), limit=0.001)


async def test_a_failure_is_raised():
    """Of a coroutine, since nobody else could see it."""

    async def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await first_of(fails(), asyncio.sleep(3600))
