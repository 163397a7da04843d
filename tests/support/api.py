"""The agent's server over a real socket, with a history of its own and nothing that walks."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from agent.core.clock import SystemClock
from agent.core.ids import run_id
from agent.core.model import Journey, SkipReason, Slot
from agent.core.results import Result
from agent.daemon.agent_document import AgentReport
from agent.daemon.present import Present
from agent.daemon.queries import Overview, Reported
from agent.daemon.replica_report import ReplicaReport
from agent.daemon.suspension_report import SuspensionReport
from agent.runs import ledger
from agent.runs.dispatcher import Dispatcher
from agent.runs.document import time as written
from agent.runs.live_runs import LiveRuns
from agent.schedule import slots
from agent.schedule.decision import Skip
from agent.schedule.pauses import Pauses
from agent.schedule.suspensions import Suspensions
from agent.schedule.ticker import Ticker
from agent.schedule.timeline import Timeline
from agent.server.access import Access
from agent.server.app import MoreRoutes, create_app
from agent.server.connection import LimitedConnection
from agent.server.event_streams import EventStreams
from agent.server.health import Check, health_routes
from agent.server.serving import listen, port_of, serving
from agent.storage import asked_runs, certificates, gates, incidents, journey_state, runs, walks
from agent.storage.reader import Reader
from agent.storage.rollup import Walked
from agent.storage.run_end import RunEnd
from tests.support.asked_gates import AskedGates
from tests.support.build import a_journey, a_site
from tests.support.entrance import an_entrance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.core.certificate import Certificate
    from agent.core.suspension import Suspension
    from agent.server.note_body import NoteBody
    from agent.server.pause_body import PauseBody, ResumeBody

PLACE = "eu-west-1"
TRACES = "https://traces.example.com/trace/{trace_id}"
PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
"""What a browser says that opens a page."""
STATE_TOKEN = "of-the-state-folder-0123456789abcdef"
"""The token where none is configured."""


@dataclass
class Asked:
    """Notes what it is asked to do, and does what it is told to."""

    verbs: list[tuple[Any, ...]] = field(default_factory=list)
    refuses: Exception | None = None

    async def reload(self) -> dict[str, Any]:
        """Take note."""
        return self._note("reload")

    async def run_now(self, journey: str) -> dict[str, Any]:
        """Take note."""
        return self._note("run", journey) | {"run_id": "<id>", "address": "/api/v1/runs/1"}

    async def pause(self, asked: PauseBody) -> dict[str, Any]:
        """Take note."""
        return self._note("pause", asked.model_dump(by_alias=True))

    async def resume(self, asked: ResumeBody) -> dict[str, Any]:
        """Take note."""
        return self._note("resume", asked.model_dump())

    async def note(self, incident: int, asked: NoteBody) -> dict[str, Any]:
        """Take note."""
        return self._note("note", incident, asked.model_dump())

    def _note(self, *verb: Any) -> dict[str, Any]:
        self.verbs.append(verb)
        if self.refuses is not None:
            raise self.refuses
        return {"did": list(verb)}


@dataclass
class Served:
    """``async with`` serves it; ``session`` asks it as a person on this machine would."""

    folder: Path
    host: str = "127.0.0.1"
    token: str = ""
    public_url: str = ""
    """``server.url``."""
    journeys: list[Journey] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=lambda: {"workers": Check(True, "2 idle")})
    clock: SystemClock = field(default_factory=SystemClock)
    connections: set[LimitedConnection] = field(default_factory=set)
    control: Asked = field(default_factory=Asked)
    streams: EventStreams = field(default_factory=EventStreams)
    more: MoreRoutes = field(default_factory=lambda: MoreRoutes(AskedGates()))
    suspended: list[Suspension] = field(default_factory=list)
    """What suspends, or has suspended, the journeys whose runs are put into the history."""

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        database = self.folder / "footfall.db"
        self._books = self._stack.enter_context(
            closing(sqlite3.connect(database, isolation_level=None))
        )
        self._books.row_factory = sqlite3.Row
        self._books.execute("PRAGMA journal_mode=WAL")
        rooms = (slots, runs, asked_runs, gates, journey_state, certificates, ledger)
        self._books.executescript("".join(room.SCHEMA for room in rooms))
        reader = self._stack.enter_context(closing(Reader(database)))
        ticker = Ticker(PLACE)
        ticker.load(self.journeys, {}, self.clock.wall())
        # Nothing is dispatched here: it only tells what is loaded, and what runs.
        nothing: Any = None
        self.dispatcher = Dispatcher(
            nothing, nothing, nothing, nothing, self.clock, nothing, nothing
        )
        self.dispatcher.journeys = {journey.name: journey for journey in self.journeys}
        timeline = Timeline(self.clock)
        self.suspensions = Suspensions(Pauses(), (), 15.0)
        report = SuspensionReport(self.suspensions, self.clock)
        clock = self.clock
        self.live = LiveRuns(self.streams.publish)

        async def ready() -> dict[str, Check]:
            return self.checks

        present = Present(self.dispatcher, ticker, timeline, self.live)
        agent = AgentReport("1.2.3", "test", ready)
        reported = Reported(report, agent, ReplicaReport("", None), self.artifacts, lambda: TRACES)
        overview = Overview(PLACE, present, reported, reader, clock)

        # The guard believes what it is told of the host: the socket stays on loopback.
        socket = listen("127.0.0.1", 0)
        self.port = port_of(socket)
        shown = self.token or STATE_TOKEN
        access = Access(self.host, shown, bool(self.token), self.port, self.public_url)
        app = create_app(
            health_routes(lambda: Check(True, "ticked"), ready),
            overview,
            self.control,
            self.artifacts,
            access,
            an_entrance(access, self.clock),
            self.streams,
            self.more,
        )
        self.url = f"http://127.0.0.1:{self.port}"
        kept = self.connections

        class Counted(LimitedConnection):
            """One connection, that is known while it lasts."""

            def connection_made(self, transport: Any) -> None:
                kept.add(self)
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                kept.discard(self)
                super().connection_lost(exc)

        await self._stack.enter_async_context(serving(app, socket, Counted))
        self.session = await self._stack.enter_async_context(aiohttp.ClientSession(self.url))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Ask for something; return the status and the JSON."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(path, headers=given) as response:
            return response.status, await response.json()

    async def journey(self, name: str) -> dict[str, Any]:
        """Return one journey as the API tells it."""
        _, body = await self.get("/api/v1/journeys")
        return next(one for one in body["journeys"] if one["journey"] == name)

    def ran(self, name: str, result: str, ago: float = 10.0, **more: Any) -> dict[str, Any]:
        """Put a run into the history, started so many seconds ago, a second long."""
        started = self.clock.wall() - ago
        failed = result in {Result.FAIL, Result.NOT_MEASURED}
        error = {
            "error_type": more.get("error_type", "http_status" if failed else None),
            "error": more.get("error", "POST /checkout answered 500" if failed else None),
        }
        place = {"file": "journeys/buy.py", "line": 17, "source": "await pay(page)"}
        folder = f"{name}/20261125T150600Z-{int(ago)}/attempt-1"
        artifacts = [f"{folder}/screenshot.png", f"{folder}/failure.json"] if failed else []
        steps = [
            {"name": "Find it", "result": "pass", "duration": 0.5},
            {"name": "Pay", "result": "fail" if failed else "pass", "duration": 0.5},
        ]
        document = {
            "run_id": run_id(Slot(name, PLACE, started)),
            "journey": name,
            "site": "shop",
            "location": PLACE,
            "trigger": "schedule",
            "scheduled_at": written(started),
            "started_at": written(started),
            "duration": 1.0,
            "result": result,
            **error,
            "place": place if failed else None,
            "trace_id": "0a" * 16,
            "attempts": [
                {"result": result, **error, "duration": 1.0, "steps": steps, "artifacts": artifacts}
            ],
            "artifacts": artifacts,
            "beacons": [],
            "beacon_counts": {},
            **more,
        }
        runs.add(self._books, started + 1.0, document)
        end = RunEnd(
            name,
            PLACE,
            Result(result),
            started,
            started + 1.0,
            error_type=error["error_type"] or "",
            step="Pay" if failed else "",
            error=error["error"] or "",
            run_id=document["run_id"],
        )
        journey_state.note(self._books, end)
        incidents.note(self._books, end, journey(name), self.suspended)
        return document

    @contextmanager
    def together(self) -> Iterator[None]:
        """Put all that is put into the books meanwhile into them at once."""
        self._books.execute("BEGIN")
        yield
        self._books.execute("COMMIT")

    def walked(self, run: dict[str, Any], *attempts: dict[str, Any]) -> None:
        """Keep what was seen in each attempt of a run."""
        packed = walks.pack({"attempts": list(attempts)})
        walks.add(self._books, run["run_id"], run["journey"], 0.0, packed, good=False)

    def met(self, *seen: Certificate) -> None:
        """Put certificates into the books that a run has met just now."""
        certificates.note(self._books, seen, self.clock.wall())

    def slot(self, name: str, result: str, ago: float, **walked: Any) -> None:
        """Put a slot with its result into the books, scheduled so many seconds ago."""
        at = Slot(name, PLACE, self.clock.wall() - ago)
        assert (run := slots.offer(self._books, at))
        assert slots.start(self._books, run)
        assert slots.finish(self._books, run, Result(result), Walked(**walked))

    def skipped(self, name: str, reason: SkipReason, ago: float, count: int = 1) -> None:
        """Put skipped slots into the books, the last of them so many seconds ago."""
        at = self.clock.wall() - ago
        since = at - 60.0 * (count - 1) if count > 1 else None
        assert slots.pass_over(self._books, Skip(Slot(name, PLACE, at), reason, count, since))

    def keep(self, path: str, content: bytes) -> Path:
        """Write an artifact."""
        file = self.artifacts / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, to say on it whatever one likes; it is closed at the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.callback(writer.transport.abort)
        self._stack.callback(writer.close)
        return reader, writer


def journey(name: str, **more: Any) -> Journey:
    """Make a journey of a shop that people know by its name."""
    return a_journey(name, site=a_site("https://shop.example.com"), file=f"{name}.py", **more)
