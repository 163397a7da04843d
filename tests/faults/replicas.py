"""Several replicas of one location on one server: any of them dies or stops at any moment."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from agent.replicas.swept import Stretch
from tests.faults.books import ALL, Part, Row, Rows, each
from tests.support.build import a_journey
from tests.support.daemon import Daemon
from tests.support.nats_server import NatsServer
from tests.support.origin import Origin
from tests.support.replicas import Replicated, pending

if TYPE_CHECKING:
    import re
    from pathlib import Path
    from random import Random

    from tests.support.daemon import Home

_REPLICAS = 3
_EVERY = {"often": 3.0, "quick": 4.0, "lingers": 6.0}
_CALL = 'answer = await run.api.get("/")\nassert answer.ok'
_BODIES = {"often": _CALL, "quick": _CALL, "lingers": f"{_CALL}\nawait asyncio.sleep(1.5)"}
_TIMEOUT = {"often": 1.5, "quick": 2.0, "lingers": 4.0}
_SETTLES = 30.0
"""Seconds beyond the bound of what is overdue until every slot has its word, on a busy machine."""
_RESULTS = {"pass", "flaky", "not_measured", "fail"}


@dataclass
class _One:
    """A replica, and whether it should be there."""

    home: Home
    stack: AsyncExitStack
    daemon: Daemon
    codes: list[int] = field(default_factory=list)

    async def start(self) -> None:
        self.daemon = await self.stack.enter_async_context(Daemon(self.home))


_Deed = Callable[[], Awaitable[None]]


class Location:
    """Replicas that walk, the server between them, and what may be done to either."""

    def __init__(self, location: Replicated, server: NatsServer, random: Random) -> None:
        self.location = location
        self._server = server
        self._random = random
        self.replicas: list[_One] = []
        self.deeds: dict[str, _Deed] = {
            "kill -9 of a replica": self._kill,
            "a replica stopped": self._stop,
            "a replica drained": self._drain,
            "kill -9 of the server": self._kill_server,
            "the server stopped": self._stop_server,
        }

    async def start(self, stack: AsyncExitStack) -> None:
        """Have all of them walk."""
        for home in self.location.homes:
            daemon = await stack.enter_async_context(Daemon(home))
            self.replicas.append(_One(home, stack, daemon))
        for one in self.replicas:
            await one.daemon.started()

    async def end(self) -> list[int]:
        """Have all of them drain; return the exit codes."""
        for one in self.replicas:
            await one.daemon.started()
        return [await one.daemon.terminate() for one in self.replicas]

    async def _kill(self) -> None:
        one = self._random.choice(self.replicas)
        await one.daemon.kill()
        await asyncio.sleep(self._random.uniform(0, 15))
        await one.start()

    async def _stop(self) -> None:
        one = self._random.choice(self.replicas)
        one.daemon.signal(signal.SIGSTOP)
        await asyncio.sleep(self._random.uniform(1, 16))
        one.daemon.signal(signal.SIGCONT)

    async def _drain(self) -> None:
        one = self._random.choice(self.replicas)
        # Before it has come so far, a signal ends it as it ends any program.
        await one.daemon.started()
        one.codes.append(await one.daemon.terminate())
        await one.start()

    async def _kill_server(self) -> None:
        await self._server.stop()
        await asyncio.sleep(self._random.uniform(0, 12))
        await self._server.start()

    async def _stop_server(self) -> None:
        self._server.freeze()
        await asyncio.sleep(self._random.uniform(1, 8))
        self._server.thaw()


@dataclass(frozen=True)
class Campaign:
    """Where the replicas live, and how often each thing is done."""

    folder: Path
    origin: Origin
    tries: int
    random: Random

    async def one(self, name: str, deeds: str) -> Row:
        """Do what matches again and again, at random moments, and add up all slots at the end."""
        folder = self.folder / name.replace(" ", "_")
        folder.mkdir(parents=True)
        async with NatsServer() as server, AsyncExitStack() as stack:
            location = Replicated(
                folder,
                {"shop": self.origin.url},
                server,
                _REPLICAS,
                schedule={"grace": "1s", "confirm_after": "0s"},
            )
            for journey, body in _BODIES.items():
                given = f'every="{_EVERY[journey]:g}s", timeout="{_TIMEOUT[journey]:g}s"'
                location.journey(journey, body, f"{given}, browser=False")
            here = Location(location, server, self.random)
            await here.start(stack)
            begin = time.time() + 1
            done = [deed for text, deed in here.deeds.items() if deeds in text]
            for _ in range(self.tries):
                await asyncio.sleep(self.random.uniform(2, 8))
                await self.random.choice(done)()
            end = time.time()
            await asyncio.sleep(_overdue() + _SETTLES)
            codes = await here.end() + [code for one in here.replicas for code in one.codes]
            return self._row(name, location, begin, end, codes)

    def _row(
        self, name: str, location: Replicated, begin: float, end: float, codes: list[int]
    ) -> Row:
        row = Row(name, self.tries)
        for word, count in location.totals().items():
            if word in _RESULTS:
                row.results[(word, None)] += count
            else:
                row.skips[word] += count
        row.offered = sum(row.results.values()) + sum(row.skips.values())
        missing = location.missing(_EVERY, begin, end)
        row.lost = sum(one.endswith("[]") for one in missing)
        row.hold(not missing, f"not just one word: {missing[:5]} of {len(missing)}")
        twice = location.twice()
        row.hold(not twice, f"told twice: {list(twice.items())[:5]} of {len(twice)}")
        waits = pending(location.homes)
        row.hold(not waits, f"words that wait: {waits[:5]} of {len(waits)}")
        row.hold(
            not row.results["fail", None], "the target's failure, which was there all the time"
        )
        row.hold(not any(codes), f"replicas ended with {codes}")
        row.hold_none_left(process for home in location.homes for process in home.processes())
        row.results += type(row.results)()  # leaves out what never came
        return row


def _overdue() -> float:
    """Seconds after its time from which on the leader gives a word to a slot."""
    longest = max(_TIMEOUT, key=_TIMEOUT.__getitem__)
    one = a_journey(
        longest, _EVERY[longest], timeout=_TIMEOUT[longest], grace=1.0, confirm_after=0.0
    )
    return Stretch.of(one, 0).overdue


async def run(folder: Path, tries: int, random: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Each thing that may befall a replica or the server, and all of them mixed."""
    async with Origin(pages={"/": "<title>Home</title>"}) as origin:
        to = Campaign(folder, origin, tries, random)
        parts: dict[str, Part] = {
            deed: partial(to.one, deeds=deed)
            for deed in (
                "kill -9 of a replica",
                "a replica stopped",
                "a replica drained",
                "kill -9 of the server",
                "the server stopped",
            )
        }
        parts["all of it, mixed"] = partial(to.one, deeds="")
        async for row in each(parts, tries, only):
            yield row
