"""Wall clocks that are set, forward and back, and nights on which summer time comes and goes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

from agent.core import names
from tests.faults.books import ALL, Outcome, Part, Row, Rows, each, lateness, row_of
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver
from tests.support.wall_clock import WallClock

if TYPE_CHECKING:
    import re
    from pathlib import Path
    from random import Random

_OPEN = 'await run.page.goto("/")'
_FAIL = f'{_OPEN}\nassert False, "never"'
_EVERY = 5
_COLLECTED = 3.0
"""Seconds in which metrics are collected and delivered some times."""
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_LONGEST = 30.0
"""Seconds beyond which nothing here lasts, or waits, whatever the clock says."""
_PASS: Outcome = ("pass", None)

STEPS: dict[str, tuple[float, ...]] = {
    "clock set forward by 1 h": (_HOUR,),
    "clock set back by 1 min": (-_MINUTE,),
    "clock set back by 1 h": (-_HOUR,),
    "clock set back by 1 day": (-_DAY,),
    "clock set to and fro": (_HOUR, -_HOUR),
    "suspended for 5 min": (300.0,),
}
"""By how many seconds, in turns. To the agent a suspension is a clock set forward."""


def _told(otlp: OtlpReceiver) -> set[str]:
    """Whatever arrived that is less than nothing, or more than there can have been."""
    wrong = {f"{m.name} {m.value or m.sum}" for m in otlp.metrics if min(m.value or 0, m.sum) < 0}
    times = (names.SCHEDULE_LATENESS, names.DURATION, names.SPOOL_OLDEST_AGE)
    for one in otlp.metrics:
        if one.name in times and max(one.value or 0, one.sum / max(one.count, 1)) > _LONGEST:
            wrong.add(f"{one.name} {one.value or one.sum}")
        if one.name == names.SPOOL_DROPPED and one.value:
            wrong.add(one.name)
    for span in otlp.spans:
        if not 0 <= span.end_ns - span.start_ns <= _LONGEST * 1e9:
            wrong.add(f"span {span.name} of {(span.end_ns - span.start_ns) / 1e9:.1f} s")
    return wrong


@dataclass
class _Moments:
    """What a person is told of moments, held against the clock that person looks at."""

    daemon: Daemon
    wall: WallClock
    wrong: set[str] = field(default_factory=set)

    async def look(self) -> None:
        """Ask how all journeys stand, and which run was the last."""
        _, found = await self.daemon.get("/api/v1/journeys")
        now = self.wall.now()
        for one in found["journeys"]:
            if one["up"]:
                self._past(now, "last run", one["last_run"]["started_at"])
                self._past(now, "slot of the last run", one["last_run"]["scheduled_at"])
            self._past(now, "last success", one["last_success_at"])
            self._past(now, "failing since", one["failing_since"])
            for skipped in one["skipped"]:
                self._past(now, f"skipped as {skipped['reason']}", skipped["last_at"])
            self._hold("next", _at(one["next_at"]) - now, -1.0, 2.0 * _EVERY)
        finished = self.daemon.events("run.finished")
        _, newest = await self.daemon.get("/api/v1/runs?limit=3")
        ids = {run["run_id"] for run in newest["runs"]}
        if finished[-1]["run_id"] not in ids:
            self.wrong.add("the last run isn't among the newest")

    def _past(self, now: float, what: str, at: str | None) -> None:
        if at is not None:
            self._hold(f"{what} ago", now - _at(at), -0.001, _DAY)

    def _hold(self, what: str, seconds: float, least: float, most: float) -> None:
        if not least <= seconds <= most:
            self.wrong.add(f"{what}: {seconds:.1f} s")


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def _step(name: str, folder: Path, origin: Origin, tries: int, random: Random) -> Row:
    """Set the clock under runs, or suspend, which looks the same to the agent."""
    home = Home(folder / name.replace(" ", "_"), {"shop": origin.url})
    home.journey("steady", _OPEN)
    home.journey("down", _FAIL)
    home.configure(schedule={"every": f"{_EVERY}s", "timeout": "2s", "grace": "1s"})
    wall = WallClock(home)
    steps, ahead, passed = cycle(STEPS[name]), 0.0, 0.0
    silent, gone = [], 0
    async with OtlpReceiver() as otlp:
        home.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_endpoint}
        del home.environment["OTEL_SDK_DISABLED"]
        async with Daemon(home) as daemon:
            await daemon.started()
            await daemon.finished("steady", "pass")
            moments = _Moments(daemon, wall)
            for _ in range(tries):
                await asyncio.sleep(random.uniform(0, _EVERY))
                mark, step = len(daemon.records), next(steps)
                wall.step(step)
                # The schedule's own time never goes back: it may be ahead already.
                passed += max(0.0, step - ahead)
                ahead = max(0.0, ahead - step)
                began = time.monotonic()
                for _ in range(2):
                    await daemon.finished("steady", "pass", 4 * _EVERY, after=mark)
                    mark = len(daemon.records)
                await moments.look()
                silent.append(time.monotonic() - began)
                collected = len(otlp.metrics)
                await asyncio.sleep(_COLLECTED)
                up = _up(otlp, collected)
                gone += up != {"steady": {1}, "down": {0}}
            code = await daemon.terminate()
    row = row_of(home, name, "steady", tries, {_PASS})
    row.hold(code == 0, f"the agent ended with {code}")
    row.hold(not gone, f"{gone} times not up, or not down, after two runs")
    row.hold(not moments.wrong, f"told: {sorted(moments.wrong)}")
    told = _told(otlp)
    row.hold(not told, f"sent: {sorted(told)}")
    row.hold(max(silent) < 3.5 * _EVERY, f"two runs took {max(silent):.1f} s to come")
    row.hold(set(row.skips) <= {"late", "overrun", "shutdown"}, f"skipped as {set(row.skips)}")
    gap, expected = sum(row.skips.values()), passed / _EVERY
    row.hold(abs(gap - expected) <= 2 * tries, f"{gap} slots skipped, {expected:.0f} passed")
    late = sorted(lateness(home, "steady"))
    row.hold(late[0] >= 0.0, f"a run started {-late[0]:.1f} s before its slot")
    # The newest slot that a step passed still runs, up to half its interval late.
    row.hold_on_time(late[:-tries])
    row.hold_none_left(home.processes())
    return row


def _up(otlp: OtlpReceiver, since: int) -> dict[str, set[float | None]]:
    """Which values of ``up`` have arrived of each journey, after so many points."""
    found: dict[str, set[float | None]] = {}
    for one in otlp.metrics[since:]:
        if one.name == names.UP:
            found.setdefault(one.attributes[names.JOURNEY], set()).add(one.value)
    return found


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
    wall = WallClock(home)
    before = datetime.fromisoformat(night.before)
    # However long the agent takes to start, it is there in time.
    wall.set_to(before - timedelta(hours=1))
    async with Daemon(home) as daemon:
        await daemon.started()
        wall.set_to(before)
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
