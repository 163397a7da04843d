"""When the metrics are collected."""

from __future__ import annotations

import asyncio

import pytest

from agent.core.results import Result
from agent.telemetry.delivery.pace import Pace


@pytest.fixture
def pace(clock):
    return Pace(clock, 15.0)


async def turns() -> None:
    """Let every task go on as far as it can without time."""
    for _ in range(20):
        await asyncio.sleep(0)


async def collected(pace) -> None:
    """Be right after a collection."""
    wait = asyncio.create_task(pace.wait())
    await turns()
    pace._clock.advance(15.0)
    assert await wait


async def test_without_news_each_interval(pace, clock, make_run):
    """Runs that pass wait for the interval's end."""
    await collected(pace)
    wait = asyncio.create_task(pace.wait())
    pace.hear(make_run())
    await turns()
    clock.advance(14.9)
    await turns()
    assert not wait.done()
    clock.advance(0.1)
    assert await wait


@pytest.mark.parametrize("result", [Result.FAIL, Result.FLAKY, Result.NOT_MEASURED])
async def test_news_is_told_at_once(pace, clock, make_run, result):
    """What alerts are made of does not wait for the interval, nor does the pass after it."""
    await collected(pace)
    clock.advance(6.0)
    pace.hear(make_run(result))
    assert await asyncio.wait_for(pace.wait(), 5)
    clock.advance(6.0)
    pace.hear(make_run())
    assert await asyncio.wait_for(pace.wait(), 5)
    pace.hear(make_run())
    wait = asyncio.create_task(pace.wait())
    clock.advance(6.0)
    await turns()
    assert not wait.done(), "a second pass is no news"
    clock.advance(15.0)
    assert await wait


async def test_much_news_is_told_together(pace, clock, make_run):
    """However much happens, there are no more than three collections in an interval."""
    await collected(pace)
    pace.hear(make_run(Result.FAIL))
    wait = asyncio.create_task(pace.wait())
    await turns()
    clock.advance(4.9)
    pace.hear(make_run(Result.FAIL))
    await turns()
    assert not wait.done()
    clock.advance(0.1)
    assert await wait


async def test_nothing_comes_early_while_the_collector_is_away(pace, clock, make_run):
    """In an outage early collections would only fill the spool."""
    await collected(pace)
    pace.held_up = True
    pace.hear(make_run(Result.FAIL))
    wait = asyncio.create_task(pace.wait())
    await turns()
    clock.advance(14.9)
    await turns()
    assert not wait.done()
    clock.advance(0.1)
    assert await wait


@pytest.mark.parametrize("result", [Result.PASS, Result.FAIL])
async def test_the_last_one_comes_at_once(pace, clock, make_run, result):
    """An agent that ends collects a last time, whatever it was waiting for."""
    await collected(pace)
    pace.hear(make_run(result))
    wait = asyncio.create_task(pace.wait())
    await turns()
    pace.stop()
    assert not await asyncio.wait_for(wait, 5)
