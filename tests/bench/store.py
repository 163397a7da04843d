"""How fast pages answer out of a large store, and how large a year of it is.

200 journeys with a year of days, incidents and outlines, each journey with 1,440 slots a day:
the days of a hundred million runs. The runs themselves are kept apart, a hundred of each here.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from agent.core.model import SkipReason
from agent.core.outline import Asked, Outline, StepBegun, Version
from agent.core.results import Result
from agent.runs import ledger
from agent.schedule import slots
from agent.storage import incidents, journey_state, outlines, rollups
from agent.storage.durations import bucket_of
from agent.storage.rollup import Rollup
from agent.storage.rollups import DAY, HOUR, begin_of
from agent.storage.run_end import RunEnd
from agent.storage.tally import Tally
from tests.support.api import PLACE, Served, journey

if TYPE_CHECKING:
    from collections.abc import Iterator

JOURNEYS = 200
DAYS = 365
_A_DAY = 1440
_HOURS = 48
_RUNS = 100
"""Of each journey: enough for every list of a page."""
_OUTAGES = 10
"""Of each journey in the year."""
_OUTLINES = 20
_REQUESTS = 60
_LOOKS = 15
CHANGED = 40
"""Journeys that have ended a slot since the last look: those of ten seconds."""
_STEPS = ("Open the shop", "Find a mug", "Read about it", "Add it to the cart", "Pay", "Leave")


@dataclass
class Pages:
    """What was measured."""

    size: int
    """Bytes of a year of roll-ups, incidents and outlines."""
    rows: dict[str, int]
    """Of each table."""
    looks: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from asking until the answer was whole, by address; the first one first."""
    weight: dict[str, int] = field(default_factory=dict)
    """Bytes of the answer."""


async def measure() -> Pages:
    """Fill a store and ask for each page, over loopback."""
    journeys = [journey(f"journey_{number}") for number in range(JOURNEYS)]
    with TemporaryDirectory(prefix="footfall-bench-") as folder:
        path = Path(folder, "footfall.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            found = _fill(connection)
        async with Served(Path(folder), journeys=journeys) as served:
            run_id, changed, chance = "", 0, random.Random(1)
            with served.together():
                for one in journeys:
                    for number in range(_RUNS):
                        result = "fail" if number % 20 == 0 else "pass"
                        run = served.ran(one.name, result, ago=60.0 * (_RUNS - number))
                        run_id = run["run_id"] if result == "fail" else run_id
            for address in (
                "/api/v1/journeys",
                "/api/v1/journeys/journey_7",
                f"/api/v1/runs/{run_id}",
                "/api/v1/incidents?limit=20",
                "/",
                "/journeys/journey_7",
                f"/runs/{run_id}",
                "/incidents",
            ):
                name = address.replace(run_id, "ID")
                found.looks[name] = []
                for _ in range(_LOOKS):
                    changed += 1
                    with served.together():
                        for one in chance.sample(journeys, CHANGED):
                            served.slot(one.name, "pass", ago=1000.0 - changed, seconds=2.0)
                    seconds, weight = await asyncio.to_thread(_ask, served.port, address)
                    found.looks[name].append(seconds)
                found.weight[name] = weight
    return found


def _ask(port: int, address: str) -> tuple[float, int]:
    """Ask for a page as somebody else does; return the seconds that it took, and its bytes."""
    begin = time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", address)
        response = connection.getresponse()
        body = response.read()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"{address} answered {response.status}: {body[:200]!r}")
    return time.perf_counter() - begin, len(body)


def _fill(connection: sqlite3.Connection) -> Pages:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(slots.SCHEMA + journey_state.SCHEMA + ledger.SCHEMA)
    before = _size(connection)
    connection.execute("BEGIN")
    chance = random.Random(7)
    now = time.time()
    for number in range(JOURNEYS):
        name = f"journey_{number}"
        for length, count, each in ((DAY, DAYS, _A_DAY), (HOUR, _HOURS, _A_DAY // 24)):
            usual = _durations(chance, each)
            for begin in range(begin_of(now, length) - (count - 1) * length, int(now), length):
                rollup = _rolled_up(chance, usual, each, begin)
                rollups.write_missing(connection, (name, PLACE), length, begin, rollup)
        for _ in range(_OUTLINES):
            at = now - chance.uniform(0, DAY)
            outlines.add(connection, name, PLACE, at, _outline(chance))
    for run, declared in sorted(_outages(chance, now), key=lambda one: one[0].ended_at):
        journey_state.note(connection, run)
        incidents.note(connection, run, declared, ())
    connection.execute("COMMIT")
    tables = ("rollups", "incidents", "outages", "incident_moments", "outlines")
    rows = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    }
    return Pages(_size(connection) - before, rows)


def _rolled_up(chance: random.Random, usual: Counter[str], of_it: int, begin: int) -> Rollup:
    found = Rollup()
    fails = int(chance.uniform(0, 0.01) * of_it)
    found.tally += Tally(flaky=fails, failed=fails, not_measured=fails)
    found.steps.update({chance.choice(_STEPS): fails} if fails else {})
    found.skip(SkipReason.OVERRUN, [begin + 60.0 * n for n in range(3)])
    if chance.random() < 0.1:
        found.skip(SkipReason.MAINTENANCE, [begin + 60.0 * n for n in range(of_it // 24)])
    found.tally += Tally(passed=of_it - found.tally.slots)
    found.durations = usual
    return found


def _durations(chance: random.Random, of_it: int) -> Counter[str]:
    """Return the histogram of so many passes: they spread over some forty buckets."""
    usual = chance.uniform(0.5, 8.0)
    return Counter(bucket_of(chance.lognormvariate(0, 0.4) * usual) for _ in range(of_it))


def _outages(chance: random.Random, now: float) -> Iterator[tuple[RunEnd, Any]]:
    for number in range(JOURNEYS):
        declared = journey(f"journey_{number}")
        for _ in range(_OUTAGES):
            at = now - chance.uniform(0.1, DAYS) * DAY
            for fail in range(5):
                error = "expected “1 item”, saw “Something went wrong” in the cart's heading"
                began = at + 60.0 * fail
                yield (
                    RunEnd(
                        declared.name,
                        PLACE,
                        Result.FAIL if fail < 4 else Result.PASS,
                        began,
                        began + 4.0,
                        error_type="assertion",
                        step=chance.choice(_STEPS),
                        error=error,
                        run_id=f"{chance.getrandbits(128):032x}",
                    ),
                    declared,
                )


def _outline(chance: random.Random) -> Outline:
    asked = tuple(
        Asked(
            what=f"GET /assets/{chance.getrandbits(32):08x}/part-{number}.js",
            kind="script" if number % 2 else "call",
            own=True,
            step=number // 10,
            page="GET /products/mug",
            answers=("200",),
            seconds=round(chance.uniform(0.01, 0.4), 6),
            version=Version(tag=f"{chance.getrandbits(64):016x}", size="48213"),
        )
        for number in range(_REQUESTS)
    )
    steps = tuple(StepBegun(name, round(chance.uniform(0.1, 2), 6)) for name in _STEPS)
    others = {f"https://cdn-{number}.example.net": "" for number in range(8)}
    return Outline("https://shop.example.com", steps, asked, others)


def _size(connection: sqlite3.Connection) -> int:
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return pages * size
