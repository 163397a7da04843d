"""Whether the wall clock was set is seen, and told to those whom it concerns."""

import asyncio

import structlog

from agent.daemon import clock_watch
from tests.support.clock import ManualClock


async def test_each_step_is_told_and_a_step_back_is_heard():
    """Forward, back, and to and fro; what only holds a clock to its pace is none."""
    clock, heard = ManualClock(1000.0, waits=True), []

    async def set_back(seconds, now):
        heard.append((seconds, now))

    with structlog.testing.capture_logs() as logs:
        watching = asyncio.create_task(clock_watch.watch(clock, set_back))
        for number, step in enumerate((0.0, 3600.0, -3600.0, 0.4, -0.4, -60.0)):
            await clock.asked(number + 1)
            clock.step(step)
            clock.advance(1.0)
        await clock.asked(7)
        watching.cancel()
    assert [(one["way"], one["seconds"]) for one in logs] == [
        ("forward", 3600.0),
        ("back", 3600.0),
        ("back", 60.0),
    ]
    assert heard == [(3600.0, 1003.0), (60.0, 946.0)]
