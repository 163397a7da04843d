"""Replicas' books on real files and a store in memory, each of which may be killed at any step."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.core import ids
from agent.core.model import Slot
from agent.core.results import Result
from agent.runs.conduct import interrupted
from agent.runs.replicated import pending_words
from agent.runs.replicated.replica_ledger import ReplicaLedger, Sharing
from agent.storage.database import Database
from agent.telemetry import telemetry
from agent.telemetry.delivery.export import resolve
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.telemetry import Telemetry
from tests.support.build import a_journey, a_request, a_run, an_attempt
from tests.support.clock import ManualClock
from tests.support.memory_store import MemoryServer, MemoryStore
from tests.support.slot_counts import count_slots
from tests.unit.runs.conftest import SCHEMAS as OWN_SCHEMAS

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "eu"
AT = 1_800_000_000.0
SCHEMAS = (*OWN_SCHEMAS, pending_words.SCHEMA)
JOURNEYS = {name: a_journey(name, 60) for name in ("buy", "browse")}


class Killed(BaseException):
    """The process ends here."""


class Fuse:
    """How many steps a replica has left: commits, and words with the store."""

    left: int | None = None
    """None: any number."""
    steps = 0

    def burn(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1
        self.steps += 1


class MortalDatabase(Database):
    """Works on the loop's own thread; may be killed before any of its commits."""

    def __init__(self, path: Path, clock: ManualClock, fuse: Fuse) -> None:
        super().__init__(path, SCHEMAS, clock)
        self.fuse = fuse

    async def transaction(self, work):
        self.fuse.burn()
        return await super().transaction(work)

    async def _submit(self, work):
        await asyncio.sleep(0)
        return work()


class MortalStore(MemoryStore):
    """May be killed before any question that it asks."""

    def __init__(self, server: MemoryServer, fuse: Fuse) -> None:
        super().__init__(server)
        server.stores.append(self)
        self.fuse = fuse

    async def _reach(self) -> None:
        self.fuse.burn()
        await super()._reach()


class Replica:
    """One replica's books, through kills and starts."""

    def __init__(self, folder: Path, server: MemoryServer, clock: ManualClock, name: str) -> None:
        self.name, self.clock = name, clock
        self.fuse = Fuse()
        self.store = MortalStore(server, self.fuse)
        self.owns = True
        self.database = MortalDatabase(folder / f"{name}.db", clock, self.fuse)

    async def start(self) -> Replica:
        """Take the books up, as the daemon does before it ticks."""
        self.fuse.left = None
        await self.database.open()
        sent = Telemetry(
            self.database,
            resolve({}, endpoint="http://127.0.0.1:1"),
            ResourceInfo("1.2.3", self.name, "test", PLACE),
            self.clock,
            Bounds(10**8, 86400.0),
        )
        self.ledger = ReplicaLedger(
            self.database,
            sent,
            PLACE,
            lambda *_: (),
            None,
            self.clock,
            Sharing(self.store, self.name, lambda: self.owns, rerun=False),
        )
        await self.ledger.register_sites(dict.fromkeys(JOURNEYS, "shop"))
        return self

    async def take_up(self) -> None:
        """Lose what a kill broke off, and settle what it left."""
        for left in await self.ledger.unfinished():
            run = interrupted(self.request(left.slot), self.clock.wall(), self.clock.wall(), "")
            await self.end(run)
        await self.ledger.settle_all()

    async def stop(self) -> None:
        self.fuse.left = None
        await self.database.close()

    async def killed_after(self, steps: int, work) -> bool:
        """Do some work with so many steps left; return whether it was killed within it."""
        self.fuse.left = steps
        try:
            await work
        except Killed:
            pass
        else:
            self.fuse.left = None
            return False
        self.ledger._settling.clear()
        await self.stop()
        await self.start()
        return True

    def request(self, slot: Slot):
        return a_request(
            JOURNEYS[slot.journey],
            run_id=ids.run_id(slot),
            location=PLACE,
            scheduled_at=slot.scheduled_at,
        )

    async def end(self, run):
        return await self.ledger.finish(run, self.clock.wall(), self.clock.wall())

    async def walk(self, slot: Slot, result: Result = Result.PASS):
        """Claim a slot and walk it; return how that ended."""
        fate = await self.ledger.start(ids.run_id(slot), slot)
        if fate.name == "WALK":
            run = a_run(an_attempt(result), request=self.request(slot))
            await self.end(run)
        return fate

    async def counts(self):
        return await self.database.transaction(lambda c: count_slots(c, PLACE))

    async def words(self) -> dict[str, int]:
        """What is counted here: by word, and what is expected; and each is told as it is here."""

        def read(connection):
            told = {}
            for total in telemetry.totals.read(connection):
                of = total.attributes
                if total.metric in TOLD:
                    word = of.get("result") or of.get("reason") or "expected"
                    told[word] = told.get(word, 0) + int(total.value)
            (waiting,) = connection.execute("SELECT count(*) FROM pending_words").fetchone()
            return told, count_slots(connection, PLACE), waiting

        told, counted, self.waiting = await self.database.transaction(read)
        own: dict[str, int] = {}
        for one in counted.values():
            assert not one.in_flight
            words = {"expected": one.expected, **one.results, **one.skips}
            for word, number in words.items():
                own[str(word)] = own.get(str(word), 0) + number
        assert own == told, "the counters say what the slot table says"
        ended = {word: number for word, number in own.items() if word != "expected"}
        assert sum(ended.values()) == own.get("expected", 0)
        return ended


TOLD = {"footfall.schedule.expected", "footfall.schedule.skipped", "footfall.journey.runs"}


@pytest.fixture
def clock():
    return ManualClock(AT)


@pytest.fixture
def server(clock):
    return MemoryServer(clock)


@pytest.fixture
async def replicas(tmp_path, server, clock):
    """Three of a location."""
    made = [await Replica(tmp_path, server, clock, name).start() for name in "abc"]
    yield made
    for one in made:
        await one.stop()


async def words_of(replicas) -> dict[str, int]:
    """What all of them count together."""
    total: dict[str, int] = {}
    for one in replicas:
        for word, number in (await one.words()).items():
            total[word] = total.get(word, 0) + number
    return total


def slot(number: int = 0, journey: str = "buy") -> Slot:
    return Slot(journey, PLACE, AT + 60 * number)
