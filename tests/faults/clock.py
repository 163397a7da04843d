"""Wall clocks that are set, forward and back, and nights on which summer time comes and goes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from agent.core import names
from tests.faults.books import ALL, Outcome, Part, Row, Rows, each, lateness, row_of
from tests.support import stepped
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver

if TYPE_CHECKING:
    import re
    from pathlib import Path
    from random import Random

_OPEN = 'await run.page.goto("/")'
_EVERY = 5
_COLLECTED = 3.0
"""Seconds in which metrics are collected and delivered some times."""
_HOUR = 3600.0
_PASS: Outcome = ("pass", None)


class Wall:
    """The agent's wall clock: how far it is off the machine's."""

    def __init__(self, home: Home) -> None:
        self._file = home.path / "offset"
        self.set(0.0)
        self.command = (stepped.__file__, str(self._file))

    def set(self, offset: float) -> None:
        """Set the clock; replaced as a whole, since it is read at any time."""
        self.offset = offset
        fresh = self._file.with_suffix(".new")
        fresh.write_text(repr(offset))
        fresh.rename(self._file)

    def set_to(self, moment: datetime) -> None:
        """Set the clock to a moment."""
        self.set(moment.timestamp() - time.time())


STEPS = {
    "clock set forward by 1 h": _HOUR,
    "clock set back by 1 h": -_HOUR,
    "suspended for 5 min": 300.0,
    "clock set to and fro": None,
}
"""By how many seconds; None: an hour, in turns."""


def _sending(home: Home, otlp: OtlpReceiver) -> Home:
    home.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_endpoint}
    return home


def _negative(otlp: OtlpReceiver) -> set[str]:
    """Whatever arrived that took, or is old, less than no time."""
    metrics = {one.name for one in otlp.metrics if min(one.value or 0, one.sum) < 0}
    return metrics | {span.name for span in otlp.spans if span.end_ns < span.start_ns}


async def _step(name: str, folder: Path, origin: Origin, tries: int, random: Random) -> Row:
    """Set the clock under runs, or suspend, which looks the same to the agent."""
    step = STEPS[name]
    home = Home(folder / name.replace(" ", "_"), {"shop": origin.url})
    home.journey("steady", _OPEN)
    home.configure(schedule={"every": f"{_EVERY}s", "timeout": "2s", "grace": "1s"})
    wall = Wall(home)
    silent, gone = [], 0
    async with OtlpReceiver() as otlp, Daemon(_sending(home, otlp), wall.command) as daemon:
        await daemon.started()
        await daemon.finished("steady", "pass")
        for number in range(tries):
            await asyncio.sleep(random.uniform(0, _EVERY))
            mark = len(daemon.records)
            wall.set(wall.offset + ((-1) ** number * _HOUR if step is None else step))
            began = time.monotonic()
            for _ in range(2):
                await daemon.finished("steady", "pass", 4 * _EVERY, after=mark)
                mark = len(daemon.records)
            silent.append(time.monotonic() - began)
            collected = len(otlp.metrics)
            await asyncio.sleep(_COLLECTED)
            up = [one.value for one in otlp.metrics[collected:] if one.name == names.UP]
            gone += set(up) != {1}
        code = await daemon.terminate()
    row = row_of(home, name, "steady", tries, {_PASS})
    row.hold(code == 0, f"the agent ended with {code}")
    row.hold(not gone, f"{gone} times not up after two runs that passed")
    negative = _negative(otlp)
    row.hold(not negative, f"negative: {negative}")
    row.hold(max(silent) < 3.5 * _EVERY, f"two runs took {max(silent):.1f} s to come")
    row.hold(set(row.skips) <= {"late", "overrun"}, f"skipped as {set(row.skips)}")
    if step is not None:
        gap, passed = sum(row.skips.values()), tries * max(step, 0.0) / _EVERY
        row.hold(abs(gap - passed) <= 2 * tries, f"{gap} slots skipped, {passed:.0f} passed")
        # Once it was set back the schedule's own time is ahead of the wall clock's.
        # The newest slot that a step passed still runs, up to half its interval late.
        row.hold_on_time(sorted(lateness(home, "steady"))[:-tries])
    row.hold_none_left(home.processes())
    return row


@dataclass(frozen=True)
class Night:
    """One on which summer time comes or goes, and the moment that 02:30 stands for."""

    before: str
    wanted: str
    again: str | None = None
    """A moment to go to afterwards, with no second slot to follow."""


NIGHTS = {
    # 02:30 doesn't exist: the next instant that does is 03:00.
    "summer time begins": Night("2027-03-28T01:59:54+01:00", "2027-03-28T03:00:00+02:00"),
    "summer time ends": Night(
        "2027-10-31T02:29:54+02:00", "2027-10-31T02:30:00+02:00", "2027-10-31T02:29:54+01:00"
    ),
}


async def _night(name: str, folder: Path, origin: Origin) -> Row:
    night = NIGHTS[name]
    home = Home(folder / name.replace(" ", "_"), {"shop": origin.url})
    home.journey("nightly", _OPEN)
    cron = {"every": "30 2 * * *", "timezone": "Europe/Berlin"}
    home.configure(schedule={**cron, "timeout": "2s", "grace": "1s"})
    wall = Wall(home)
    wall.set_to(datetime.fromisoformat(night.before))
    async with Daemon(home, wall.command) as daemon:
        await daemon.started()
        await daemon.finished("nightly", "pass", 30)
        if night.again is not None:
            wall.set_to(datetime.fromisoformat(night.again))
            await asyncio.sleep(12)
        code = await daemon.terminate()
    row = row_of(home, name, "nightly", 1, {_PASS})
    row.hold(code == 0, f"the agent ended with {code}")
    row.hold_on_time(lateness(home, "nightly"))
    row.hold_none_left(home.processes())
    moments = [datetime.fromisoformat(run["scheduled_at"]) for run in home.runs()]
    row.hold(moments == [datetime.fromisoformat(night.wanted)], f"it ran at {moments}")
    return row


async def run(folder: Path, tries: int, random: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Steps of the clock under runs, and summer time."""
    async with Origin(pages={"/": "<title>Home</title>"}) as origin:
        parts: dict[str, Part] = {
            name: partial(_step, folder=folder, origin=origin, tries=tries, random=random)
            for name in STEPS
        }
        for name in NIGHTS:
            parts[name] = partial(_night, folder=folder, origin=origin)
        async for row in each(parts, tries, only):
            yield row
