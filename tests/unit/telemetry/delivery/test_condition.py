from __future__ import annotations

import asyncio

from agent.core import names
from agent.core.clock import SteadyTime
from agent.telemetry.delivery.condition import condition
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Bounds, Spool


async def passing(clock, done):
    async with asyncio.timeout(10):
        while not done():
            clock.advance(1.0)
            await asyncio.sleep(0)


async def test_a_door_that_refuses_is_told_with_its_words(collector, put, start, clock):
    """Since when, and the last refusal's words, though nothing is lost yet."""
    collector.always = (400, {"content-type": "text/plain"}, b"no tenant")
    await put("1", "2")
    sender = start(collector.url)
    begun = clock.wall()
    report = sender.reports[Signal.TRACES]
    await passing(clock, lambda: report.trouble)
    found = condition(sender.reports, {}, clock.wall(), clock.wall())
    assert found.degraded
    assert "traces refused since 2027-01-15T08:" in found.detail
    assert "HTTP 400 (text/plain): no tenant" in found.detail
    assert report.trouble.since >= begun
    since = report.trouble.since
    calls = collector.calls["traces"]
    await passing(clock, lambda: collector.calls["traces"] > calls + 4)
    assert report.trouble.since == since
    collector.always = None
    await passing(clock, lambda: not report.trouble)
    await passing(clock, lambda: not sender.reports[Signal.LOGS].trouble)
    assert condition(sender.reports, {}, clock.wall(), clock.wall()) == condition({}, {}, 0.0, 0.0)


async def test_an_outage_degrades_once_it_lasts(collector, put, start, clock):
    """A collector that restarts alarms nobody; one that stays away does."""
    collector.always = (503, {}, b"")
    await put("1")
    sender = start(collector.url)
    report = sender.reports[Signal.TRACES]
    await passing(clock, lambda: report.trouble)
    since = report.trouble.since
    early = condition(sender.reports, {}, since + 299.0, since + 299.0)
    assert not early.degraded
    assert "traces not delivered since" in early.detail
    assert condition(sender.reports, {}, since + 300.0, since + 300.0).degraded


async def test_poison_is_told_for_an_hour(collector, put, start, clock, books):
    """What was lost is told with its number and the reason, and not for ever."""
    collector.refused = {"1"}
    await put("1", "2")
    sender = start(collector.url)
    report = sender.reports[Signal.TRACES]
    await passing(clock, lambda: report.loss)
    found = condition(sender.reports, {}, clock.wall(), clock.wall())
    assert found.degraded
    assert "4 items of traces lost since" in found.detail
    assert "no 1, thank you" in found.detail
    assert await books(names.SPOOL_DROPPED) == {"traces": 4}
    assert not condition(sender.reports, {}, report.loss.last + 3600.0, 0.0).degraded


async def test_what_the_bounds_cost_is_told(database):
    """A spool that overflows loses telemetry as well."""
    spool = Spool(Bounds(size=20, age=100.0))

    def fill(connection):
        spool.put(connection, Signal.LOGS, b"x" * 15, 1, 1000.0)
        spool.put(connection, Signal.LOGS, b"x" * 15, 1, 1001.0)
        spool.put(connection, Signal.LOGS, b"x", 1, 1200.0)

    await database.transaction(fill)
    found = condition({}, spool.overflow, 1201.0, 1201.0)
    assert found.degraded
    assert "2 items of logs lost since 1970-01-01T00:16:41Z" in found.detail
    assert "beyond telemetry.spool_age" in found.detail


async def test_a_clock_that_is_set_moves_no_outage(collector, put, start, clock):
    """How long it lasts is what has passed, and since when it is told by the clock as it is."""
    collector.always = (503, {}, b"")
    await put("1")
    time = SteadyTime(clock)
    sender = start(collector.url)
    report = sender.reports[Signal.TRACES]
    await passing(clock, lambda: report.trouble)
    for step, shown in ((-3600.0, "T07:"), (7200.0, "T09:")):
        clock.step(step)
        found = condition(sender.reports, {}, time.now(), clock.wall())
        assert not found.degraded
        assert f"traces not delivered since 2027-01-15{shown}" in found.detail
    assert condition(sender.reports, {}, time.now() + 300.0, clock.wall()).degraded
