"""What the agent adds to a page of 45 requests, 40 of which may be cached: cold, then warm."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.bench.meter import Meter
from tests.bench.viewer import ALL, BARE, CALLS, LISTENING, OPEN
from tests.support.demo import DemoShop
from tests.support.service import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SIDES = (BARE, OPEN, LISTENING, CALLS, ALL)
VIEWS = ("cold", "second")
_WARM = 2
"""Rounds that don't count: the first browsers fill the machine's own caches."""
_AFTER = 0.2
"""Seconds after a view that are still measured."""
_LEAVE = 20.0
"""Seconds that a viewer may take to end once its input has."""


@dataclass(frozen=True, slots=True)
class Look:
    """One view: wall seconds, LCP and TTFB in seconds, CPU-seconds of all but the server, and
    requests there."""

    wall: float
    lcp: float
    ttfb: float
    cpu: float
    requests: int


@dataclass(frozen=True, slots=True)
class Views:
    """The looks by side and view; those of one index were made in one round."""

    looks: dict[tuple[str, str], list[Look]]

    def ratio(self, what: str, side: str, view: str) -> float:
        """The median of the rounds' ratios to bare Playwright, of one figure of a look."""
        pairs = zip(self.looks[side, view], self.looks[BARE, view], strict=True)
        return statistics.median(getattr(one, what) / getattr(bare, what) for one, bare in pairs)

    def middle(self, what: str, side: str, view: str) -> float:
        """The median of one figure of a side's looks."""
        return statistics.median(getattr(look, what) for look in self.looks[side, view])

    def requests(self, side: str, view: str) -> set[int]:
        """How many requests the server got for a view: one number where all is well."""
        return {look.requests for look in self.looks[side, view]}


class _Viewer:
    """A viewer of one side, under a meter."""

    def __init__(self, process: asyncio.subprocess.Process, meter: Meter, shop: DemoShop) -> None:
        self._process = process
        self._meter = meter
        self._shop = shop

    async def do(self, what: str) -> Look:
        """Have it take one step."""
        cpu, requests = self._meter.seconds(), self._count()
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the viewer has no pipes")
        self._process.stdin.write(f"{what}\n".encode())
        said = await self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the viewer ended on {what!r}")
        # What a view sets going ends a little after it; the sides would differ in that.
        await asyncio.sleep(_AFTER)
        wall, lcp, ttfb = [*json.loads(said), 0.0, 0.0][:3]
        return Look(wall, lcp, ttfb, self._meter.seconds() - cpu, self._count() - requests)

    def _count(self) -> int:
        with urlopen(f"{self._shop.url}/demo/seen") as answer:
            return int(json.load(answer)["total"])


async def measure(executable: Path, rounds: int, path: str) -> Views:
    """Have all sides look in turns, in an order of chance, each time in a fresh browser."""
    looks: dict[tuple[str, str], list[Look]] = {(s, v): [] for s in SIDES for v in VIEWS}
    order = list(SIDES)
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(DemoShop())
        viewers = {
            side: await stack.enter_async_context(_viewer(side, shop, executable)) for side in SIDES
        }
        for number in range(_WARM + rounds):
            random.shuffle(order)
            for side in order:
                await viewers[side].do(f"open {path}")
                for view in VIEWS:
                    look = await viewers[side].do(view)
                    if number >= _WARM:
                        looks[side, view].append(look)
                await viewers[side].do("close")
    return Views(looks)


@asynccontextmanager
async def _viewer(side: str, shop: DemoShop, executable: Path) -> AsyncIterator[_Viewer]:
    program = str(Path(__file__).with_name("viewer.py"))
    with Meter() as meter:
        process = await asyncio.create_subprocess_exec(
            *meter.command([sys.executable, program, side, shop.url, str(executable)]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )
        meter.watch(process.pid)
        try:
            yield _Viewer(process, meter, shop)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _LEAVE)
            except TimeoutError:
                process.kill()
                await process.wait()
