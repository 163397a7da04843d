"""When the metrics are collected."""

from __future__ import annotations

import asyncio

import pytest

from agent.core.results import Result
from agent.telemetry.collection_timer import CollectionTimer


@pytest.fixture
def timer(clock):
    return CollectionTimer(clock, 15.0)


async def turns() -> None:
    """Let every task go on as far as it can without time."""
    for _ in range(20):
        await asyncio.sleep(0)


async def collected(timer) -> None:
    """Be right after a collection."""
    wait = asyncio.create_task(timer.wait())
    await turns()
    timer._clock.advance(15.0)
    assert await wait


async def test_without_news_each_interval(timer, clock, make_run):
    """Runs that pass wait for the interval's end."""
    await collected(timer)
    wait = asyncio.create_task(timer.wait())
    timer.on_run(make_run())
    await turns()
    clock.advance(14.9)
    await turns()
    assert not wait.done()
    clock.advance(0.1)
    assert await wait


@pytest.mark.parametrize("result", [Result.FAIL, Result.FLAKY, Result.NOT_MEASURED])
async def test_news_is_told_at_once(timer, clock, make_run, result):
    """What alerts are made of does not wait for the interval, nor does the pass after it."""
    await collected(timer)
    clock.advance(6.0)
    timer.on_run(make_run(result))
    assert await asyncio.wait_for(timer.wait(), 5)
    clock.advance(6.0)
    timer.on_run(make_run())
    assert await asyncio.wait_for(timer.wait(), 5)
    timer.on_run(make_run())
    wait = asyncio.create_task(timer.wait())
    clock.advance(6.0)
    await turns()
    assert not wait.done(), "a second pass is no news"
    clock.advance(15.0)
    assert await wait


async def test_much_news_is_told_together(timer, clock, make_run):
    """However much happens, there are no more than three collections in an interval."""
    await collected(timer)
    timer.on_run(make_run(Result.FAIL))
    wait = asyncio.create_task(timer.wait())
    await turns()
    clock.advance(4.9)
    timer.on_run(make_run(Result.FAIL))
    await turns()
    assert not wait.done()
    clock.advance(0.1)
    assert await wait


async def test_nothing_comes_early_while_the_collector_is_away(timer, clock, make_run):
    """In an outage early collections would only fill the spool."""
    await collected(timer)
    timer.held_up = True
    timer.on_run(make_run(Result.FAIL))
    wait = asyncio.create_task(timer.wait())
    await turns()
    clock.advance(14.9)
    await turns()
    assert not wait.done()
    clock.advance(0.1)
    assert await wait


@pytest.mark.parametrize("result", [Result.PASS, Result.FAIL])
async def test_the_last_one_comes_at_once(timer, clock, make_run, result):
    """An agent that ends collects a last time, whatever it was waiting for."""
    await collected(timer)
    timer.on_run(make_run(result))
    wait = asyncio.create_task(timer.wait())
    await turns()
    timer.stop()
    assert not await asyncio.wait_for(wait, 5)


async def test_what_is_urgent_waits_for_nothing(timer, clock, make_run):
    """Neither for the third of an interval, nor for the collector, and it is told once."""
    await collected(timer)
    timer.held_up = True
    timer.on_run(make_run(Result.FAIL))
    timer.at_once()
    assert await asyncio.wait_for(timer.wait(), 5)
    wait = asyncio.create_task(timer.wait())
    await turns()
    timer.on_run(make_run())
    await turns()
    assert not wait.done()
    timer.at_once()
    assert await asyncio.wait_for(wait, 5)


async def test_what_is_urgent_overtakes_news_that_waits(timer, clock, make_run):
    """Who waits for the third of an interval to pass waits no longer."""
    await collected(timer)
    timer.on_run(make_run(Result.FAIL))
    wait = asyncio.create_task(timer.wait())
    await turns()
    assert not wait.done()
    timer.at_once()
    assert await asyncio.wait_for(wait, 5)
