"""Gates on a real database, with an engine whose walks end when and as they are told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agent.config.sections import SiteGateSection, SiteSection
from agent.config.settings import Settings
from agent.core.errors import ErrorType
from agent.core.gate import GateOrder
from agent.core.proxies import Proxies
from agent.core.results import Attempt, Result
from agent.gates import course
from agent.gates.books import Books
from agent.gates.course import Road
from agent.gates.gates import Gates
from agent.gates.telling.poster import Poster
from agent.gates.telling.tellings import Tellings
from agent.pool.stops import Stops
from agent.queue.local import LocalQueue
from agent.runs import dispatcher
from agent.runs.conduct import interrupted
from agent.runs.live_runs import LiveRuns
from agent.runs.places import Places
from agent.runs.request import RunRequest
from agent.schedule.pauses import Pauses
from agent.schedule.suspensions import Suspensions
from agent.schedule.timeline import Timeline
from agent.storage import asked_runs, gates
from agent.storage.reader import Reader
from tests.support.build import a_journey
from tests.support.clock import ManualClock
from tests.unit.runs.conftest import SCHEMAS
from tests.unit.runs.test_dispatcher import CountingDatabase, Middle

if TYPE_CHECKING:
    from agent.core.results import RunResult

START = 1_700_000_000.0
SITE = "http://127.0.0.1:1"


class Engine:
    """Walks end when they are told; ``under_way`` has those that go on, in order."""

    location = "eu"

    def __init__(self, clock):
        self._clock = clock
        self.stops = Stops()
        self.live = LiveRuns(lambda _kind, _data: None)
        self.pools = SimpleNamespace(trouble="")
        self.under_way: list[tuple[RunRequest, asyncio.Future]] = []

    def request(self, journey, trigger, run_id, scheduled_at):
        return RunRequest(run_id, journey, "eu", trigger, "0a" * 16, "0b" * 8, scheduled_at)

    async def run(self, request, _followed, *, stop) -> RunResult:
        told: asyncio.Future[Attempt] = asyncio.get_running_loop().create_future()
        began = self._clock.wall()
        self.under_way.append((request, told))
        try:
            attempt = await told
        finally:
            self.under_way.remove((request, told))
        base = interrupted(request, began, self._clock.wall(), attempt.error)
        return replace(
            base,
            result=attempt.result,
            error_type=attempt.error_type,
            error=attempt.error,
            attempts=(replace(attempt, started_at=began),),
        )


@dataclass
class Stage:
    """One site with journeys ``a`` and ``b``, two workers and, where it is kept, a third."""

    gates: Gates
    engine: Engine
    clock: ManualClock
    database: Any
    middle: Any
    suspensions: Suspensions
    settings: Settings
    reader: Reader
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    async def ask(self, key: str = "", **order: Any) -> Any:
        told = await self.gates.ask(GateOrder("shop", **order), key)
        await self.settle()
        return told

    async def settle(self):
        """Let everybody go on, the reader's thread too, until all wait for something."""
        for _ in range(6):
            await self.reader.read(lambda _: None)
            for _ in range(60):
                await asyncio.sleep(0)

    async def walked(self, *results: str, after: float = 1.0, **attempt: Any) -> None:
        """Let seconds pass, and have the oldest walks under way come to these."""
        self.clock.advance(after)
        for result, (_, told) in zip(results, list(self.engine.under_way), strict=False):
            told.set_result(an_attempt(result, **attempt))
        await self.settle()

    async def pass_(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()

    @property
    def walking(self) -> list[str]:
        return [request.journey.name for request, _ in self.engine.under_way]


def an_attempt(result: str, **changes: Any) -> Attempt:
    error = {"fail": ErrorType.ASSERTION, "not_measured": ErrorType.CANARY}.get(result)
    told = {"error_type": error, "error": "broken\nmore of it" if error else ""} | changes
    return Attempt(1, Result(result), "0c" * 8, 0.0, 1.0, **told)


def shop_settings(**gate: Any) -> Settings:
    section = SiteSection(url=SITE, first_party=(SITE,), gate=SiteGateSection(**gate))
    return Settings(sites={"shop": section})


@pytest.fixture
def clock():
    return ManualClock(START, waits=True)


@pytest.fixture
async def stage(tmp_path, clock, monkeypatch):
    for module in (dispatcher, course):
        monkeypatch.setattr(module, "free_memory", lambda: 1 << 40)
    path = tmp_path / "footfall.db"
    database = CountingDatabase(path, (*SCHEMAS, asked_runs.SCHEMA, gates.SCHEMA), clock)
    await database.open()
    reader = Reader(path)
    middle = Middle(database, LocalQueue(8), clock, runners=3)
    middle.dispatcher.lanes.browsers.workers = 2
    middle.dispatcher.lanes.browsers.places = Places(2)
    shop = [a_journey(name, 60, timeout=5, grace=1, confirm_after=3.0) for name in ("a", "b")]
    middle.dispatcher.journeys = {one.name: one for one in shop}
    engine = Engine(clock)
    suspensions = Suspensions(Pauses(()), (), 15.0)
    books = Books(database, middle.sent)
    road = Road(engine, middle.dispatcher, suspensions, Places(0), books, clock)
    tellings = Tellings(lambda: made.settings, Poster(Proxies(), clock), clock)
    made = Stage(
        Gates(road, lambda: made.settings, reader, Timeline(clock), tellings),
        engine,
        clock,
        database,
        middle,
        suspensions,
        shop_settings(),
        reader,
    )
    yield made
    await made.gates.cancel()
    await middle.stop()
    reader.close()
    await database.close()
