"""What the stations that walk report is counted, and written before the agent ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agent.daemon.event_sink import EventSink
from tests.support.build import a_run


class Books:
    """A ledger that writes when it is let."""

    def __init__(self) -> None:
        self.restarts: list[str] = []
        self.may_write = asyncio.Event()

    async def restarted(self, reason: str) -> None:
        await self.may_write.wait()
        self.restarts.append(reason)


class Counts:
    """The telemetry as far as lateness goes."""

    def __init__(self) -> None:
        self.late: list[tuple[str, float, str, float]] = []

    def observe_lateness(self, slot, site, seconds) -> None:
        self.late.append((slot.journey, slot.scheduled_at, site, seconds))


async def test_replaced_workers_are_written_down_before_the_end():
    """Reporting one waits for no disk; the end waits for all of them."""
    books = Books()
    events = EventSink(Counts(), books)
    events.on_worker_replaced("max_runs")
    events.on_worker_replaced("unfit")
    ending = asyncio.create_task(events.written())
    await asyncio.sleep(0)
    assert books.restarts == []
    assert not ending.done()
    books.may_write.set()
    await ending
    assert books.restarts == ["max_runs", "unfit"]


async def test_lateness_is_that_of_the_slot():
    """Counted under the slot's own time, where a slot asked for the run."""
    counts = Counts()
    events = EventSink(counts, Books())
    run = replace(a_run(), scheduled_at=100.0)
    events.on_late(run, 0.25)
    assert counts.late == [(run.journey.name, 100.0, run.journey.site.name, 0.25)]
