"""Several agents of one location: every slot has one word, whatever dies, stops or is away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from agent.replicas.swept import Stretch
from tests.acceptance.conftest import LOOK
from tests.support.build import a_journey
from tests.support.daemon import Daemon, until
from tests.support.replicas import TOKEN, Replicated, pending

EVERY = {"look": 5.0, "linger": 4.0, "ping": 3.0}
"""The journeys, each with its seconds."""
CALL = "answer = await run.api.get('/')\nassert answer.ok"
OVERDUE = max(
    Stretch.of(a_journey("x", every, timeout=every - 1, grace=1, confirm_after=0), 0).overdue
    for every in EVERY.values()
)
"""Seconds after which each slot of them has its word, or gets it from the sweep."""
_LAPSES = 12.0
"""Seconds after which a claim that nobody prolongs is another's, and more."""
SWEPT = OVERDUE + 15 + 10
"""Seconds for the same after the server came, with some for a busy machine."""


class Story:
    """Replicas of one location, of which any may die and come back, and what they all logged."""

    def __init__(self, location: Replicated, stack: AsyncExitStack) -> None:
        self.location = location
        self._stack = stack
        self.now: dict[int, Daemon] = {}
        self.all: list[Daemon] = []

    async def start(self, number: int) -> Daemon:
        daemon = Daemon(self.location.homes[number])
        self.all.append(daemon)
        self.now[number] = await self._stack.enter_async_context(daemon)
        await daemon.started()
        return daemon

    async def finished(self, journey: str = "ping") -> None:
        """Wait until any of them has walked a journey from now on."""
        since = time.time()
        await until(lambda: self._passed(journey, since), otherwise=self.told)

    def _passed(self, journey: str, since: float) -> bool:
        sql = "SELECT 1 FROM slots WHERE journey = ? AND result = 'pass' AND scheduled_at > ?"
        homes = self.location.homes
        return any(home.rows(sql, journey, int(since * 1000)) for home in homes)

    async def walks(self, journey: str, *of: int) -> int:
        """Wait until one of them (all, if none is named) begins to walk; return which."""
        sql = "SELECT 1 FROM pending_words WHERE kind = 'claimed' AND journey = ?"
        homes = self.location.homes

        def who() -> list[int]:
            return [n for n in of or self.now if homes[n].rows(sql, journey)]

        await until(lambda: not who(), otherwise=self.told)
        await until(who, otherwise=self.told)
        return who()[0]

    def walked_twice(self) -> list[str]:
        """The runs that were walked to their end more than once."""
        ended = Counter(
            record["run_id"] for daemon in self.all for record in daemon.events("run.finished")
        )
        return [run_id for run_id, times in ended.items() if times > 1]

    def told(self) -> str:
        """What they logged, but for what went well."""
        return "\n".join(
            f"{daemon.home.path.name} {record}"
            for daemon in self.all
            for record in daemon.records
            if record.get("result") != "pass"
        )

    async def until_swept(self, begin: float, end: float, within: float = SWEPT) -> None:
        """Wait until every slot between two moments has one word, and none waits for its own."""

        def wrong():
            return [
                *self.location.missing(EVERY, begin, end),
                *pending([self.location.homes[number] for number in self.now]),
            ]

        await until(lambda: not wrong(), within, lambda: f"{wrong()}\n{self.told()}")
        assert not self.location.twice()
        assert not self.walked_twice()


@asynccontextmanager
async def story(tmp_path, shop, nats, number):
    location = Replicated(
        tmp_path,
        {"shop": shop.url},
        nats,
        number,
        schedule={"timeout": "2s", "grace": "1s", "confirm_after": "0s"},
    )
    location.journey("look", LOOK, 'every="5s", timeout="4s"')
    location.journey(
        "linger", f"{CALL}\nawait asyncio.sleep(1)", 'every="4s", timeout="3s", browser=False'
    )
    location.journey("ping", CALL, 'every="3s", browser=False')
    async with AsyncExitStack() as stack:
        told = Story(location, stack)
        await asyncio.gather(*(told.start(number) for number in range(number)))
        yield told


@asynccontextmanager
async def stopped(pid: int):
    """A process that stands still meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_each_slot_has_one_word_whatever_dies_stops_or_is_away(tmp_path, shop, nats):
    """A drain for other journeys, one replica after the other; a kill under a walk; a stop longer
    than a claim holds; a server that hangs and one that is killed; and nobody there at all."""
    async with story(tmp_path, shop, nats, 2) as told:
        location = told.location
        await told.finished()
        begin = time.time()

        # Other journeys, one replica after the other: what one gives back the other walks.
        for number, home in enumerate(location.homes):
            home.journey("more", CALL, 'site="shop", owner="tests", every="10m", browser=False')
            assert await told.now[number].terminate() == 0, told.told()
            await told.start(number)
            await told.finished()
        assert "shutdown" not in location.totals()

        # One is killed under a walk while the other stands still under another for too long.
        still = await told.walks("linger")
        async with stopped(told.now[still].pid):
            lapses = time.monotonic() + _LAPSES
            await told.walks("look", 1 - still)
            await told.now[1 - still].kill()
            await told.start(1 - still)
            await asyncio.sleep(max(0.0, lapses - time.monotonic()))
        assert location.totals()["not_measured"] >= 1

        # A server that hangs stops no tick, and one that is killed comes back with all it had.
        await told.finished()
        async with stopped(nats._process.pid):
            for _ in range(8):
                await asyncio.sleep(1)
                for daemon in told.now.values():
                    status, health = await daemon.get("/healthz")
                    assert status == 200, health
        await nats.stop()
        await asyncio.sleep(1)
        await nats.start()
        await told.finished()

        # Nobody is there.
        codes = await asyncio.gather(*(daemon.terminate() for daemon in told.now.values()))
        assert codes == [0, 0], told.told()
        await asyncio.sleep(7)
        await told.start(0)
        await told.finished()
        await told.until_swept(begin, time.time())
        words = location.totals()
        assert words["queue"] > 0, words
        assert words["down"] > 0, words
        assert words["pass"] > sum(words.values()) / 3, words
        assert "shutdown" not in words
        assert await told.now[0].terminate() == 0, told.told()


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_a_server_may_be_away_for_five_minutes(tmp_path, shop, nats):
    """Three replicas tick on all the time; each slot of it has one word, and the browsers and
    processes that walk again afterwards are those of before."""
    async with story(tmp_path, shop, nats, 3) as told:
        location = told.location
        await told.finished()
        begin = time.time()
        await nats.stop()
        await asyncio.sleep(20)  # until what was under way has ended
        before = Counter(location.totals())
        while time.time() < begin + 300:
            for daemon in told.now.values():
                status, health = await daemon.get("/healthz")
                assert status == 200, health
                _, ready = await daemon.get("/readyz", TOKEN)
                assert "is away" in ready["checks"]["queue"]["detail"], ready
            await asyncio.sleep(5)
        await nats.start()
        for journey in EVERY:
            await told.finished(journey)
        await told.until_swept(begin, time.time())
        words = location.totals()
        assert words["queue"] - before["queue"] > 150, (before, words)
        assert not any(daemon.events("worker.replaced") for daemon in told.all), told.told()
        codes = await asyncio.gather(*(daemon.terminate() for daemon in told.now.values()))
        assert codes == [0, 0, 0], told.told()
