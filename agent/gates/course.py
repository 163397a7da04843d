"""The course of one gate: walks ahead of the schedule, until there is a verdict or no time left."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from agent.core import ids
from agent.core.clock import SteadyTime
from agent.core.errors import ErrorType
from agent.core.first_of import first_of
from agent.core.gate import GateVerdict
from agent.core.model import Trigger
from agent.core.results import Result
from agent.gates.admission import paused, walked_for
from agent.gates.words import Pace, Told, decided, out_of_time
from agent.pool.memory import free_memory
from agent.runs.conduct import interrupted
from agent.runs.dispatcher import ROOM
from agent.runs.document import time
from agent.runs.places import Place
from agent.runs.run_events import log_run

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Iterator

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import Attempt, RunResult
    from agent.gates.books import Books
    from agent.gates.judged_release import Releases
    from agent.gates.poll import Poll
    from agent.gates.under_way import UnderWay
    from agent.pool.stops import Stop
    from agent.runs.ahead import Ahead
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.engine import Engine
    from agent.runs.followed import Followed
    from agent.runs.places import Places
    from agent.runs.request import RunRequest
    from agent.schedule.suspensions import Suspensions

_log = structlog.get_logger("footfall.gates")

_LOOKS_EVERY: Final = 0.2
"""Seconds between two looks for memory that is free."""
_AHEAD: Final = 30.0
"""Seconds for which a gate lets no slot in between its walks; then they take turns, so that one
that is given minutes doesn't stop the schedule."""
_LATE: Final = "the verdict had been given"
_UNTOLD: Final = "which release answered is not known: set [sites.{}.release]"
_SAME_MOMENT: Final = "of the moment of a walk that failed"


@dataclass(frozen=True, slots=True)
class Road:
    """What the walks of gates go over."""

    engine: Engine
    dispatcher: Dispatcher
    suspensions: Suspensions
    warm: Places
    """A place for the worker that is kept for gates, where one is."""
    books: Books
    clock: Clock


class Course:
    """Walks the journeys of ``gate`` and has them vote in ``poll``. ``withheld``: see a request."""

    def __init__(
        self, gate: UnderWay, poll: Poll, releases: Releases, road: Road, withheld: str
    ) -> None:
        self._gate = gate
        self._poll = poll
        self._releases = releases
        self._road = road
        self._withheld = withheld
        self._over = asyncio.Event()
        self._turn = asyncio.Event()
        """Set, and replaced, whenever there may be something to do."""
        self._told: Told | None = None
        """What ended it before its journeys did."""
        self._errors: dict[str, str] = {}
        """The last of each journey."""
        self._took: list[float] = []
        """Seconds of each walk, with all that goes with it."""
        self.durations: dict[str, list[float]] = {}
        """Of the passes that count, by journey."""
        self._seats: list[asyncio.Task[None]] = []

    async def run(self, slowest: float) -> Told:
        """Walk until it is known what to say; walks under way then end by themselves.

        ``slowest`` is what a walk may take at the most, in seconds.
        """
        self._seats = [
            asyncio.create_task(self._sit(places, ahead, names), name="gate")
            for places, ahead, names, count in self._places()
            for _ in range(count)
        ]
        left = self._gate.order.within - self._gate.time.passed()
        await first_of(self._over.wait(), self._road.clock.sleep(left))
        self._over.set()
        if self._told is not None:
            return self._told
        if self._poll.verdict is not GateVerdict.PENDING:
            return decided(self._poll, self._errors)
        took = max(self._took, default=slowest)
        rest = max(one.confirm_after for one in self._poll.ballots.values())
        pace = Pace(len(self._seats), took, rest)
        within = self._gate.order.within
        trouble = self._road.engine.pools.trouble
        return out_of_time(self._poll, self._errors, self._releases, within, pace, trouble)

    @property
    def asides(self) -> list[str]:
        """What is to be known beside the verdict."""
        return [_UNTOLD.format(self._gate.order.site)] if self._releases.unknown else []

    async def ended(self) -> None:
        """Wait until the last walk is over and written down."""
        await asyncio.gather(*self._seats, return_exceptions=True)

    async def cancel(self) -> None:
        """Break off what still goes on."""
        self._over.set()
        for seat in self._seats:
            seat.cancel()
        await self.ended()

    # Who walks what, and where.

    def _places(self) -> list[tuple[Places, Ahead | None, list[str], int]]:
        """Return places, the journeys that are walked there, and how many at once.

        Where slots wait for these places too, with what they are told by.
        """
        journeys, lanes = self._road.dispatcher.journeys, self._road.dispatcher.lanes
        found: list[tuple[Places, Ahead | None, list[str], int]] = []
        for lane in lanes:
            names = [n for n in self._poll.ballots if lanes.of(journeys.get(n)) is lane]
            most = sum(self._poll.ballots[name].wanted for name in names)
            if names and lane is lanes.browsers:
                found.append((self._road.warm, None, names, self._road.warm.count))
            found.append((lane.places, lane.ahead, names, min(lane.workers, most)))
        return found

    async def _sit(self, places: Places, ahead: Ahead | None, names: Collection[str]) -> None:
        """Walk one journey after the other."""
        while not self._over.is_set():
            if self._next(names) is None:
                await self._until_turn(names)
                continue
            place = Place(places)
            try:
                await first_of(place.take_ahead(), self._over.wait())
                while place.held and (name := self._next(names)) is not None:
                    with self._going(ahead):
                        await self._walk(name)
                    if self._gate.time.passed() > _AHEAD:
                        break
            finally:
                place.give()

    @contextmanager
    def _going(self, ahead: Ahead | None) -> Iterator[None]:
        if ahead is None:
            yield
            return
        ahead.begin(self._road.clock.monotonic())
        try:
            yield
        finally:
            ahead.end(self._road.clock.monotonic())

    def _next(self, names: Collection[str]) -> str | None:
        if self._over.is_set():
            return None
        name = self._poll.next(self._road.clock.monotonic(), names)
        if name is not None and self._releases.missing and self._poll.ballots[name].under_way:
            # Others would be as much in vain while the old release answers.
            return None
        return name

    async def _until_turn(self, names: Collection[str]) -> None:
        now = self._road.clock.monotonic()
        due = self._poll.next_at(now, names)
        waits: list[Coroutine[object, object, object]] = [self._turn.wait(), self._over.wait()]
        if due is not None:
            waits.append(self._road.clock.sleep(due - now))
        await first_of(*waits)

    def _changed(self) -> None:
        if self._poll.verdict is not GateVerdict.PENDING:
            self._over.set()
        self._turn.set()
        self._turn = asyncio.Event()

    def break_off(self, why: str) -> None:
        """Have it end without a verdict."""
        if not self._over.is_set():
            self._told = Told(GateVerdict.ERROR, [why])
            self._over.set()

    # One walk.

    async def _walk(self, name: str) -> None:
        ballot = self._poll.ballots[name]
        ballot.under_way += 1
        try:
            # As it is by now, since so is what a worker imports.
            journey = self._road.dispatcher.journeys.get(name)
            if journey is None or not journey.enabled:
                self.break_off(f"{name} is no longer loaded, or no longer enabled")
            elif why := paused(self._road.suspensions, journey, self._road.clock.wall()):
                self.break_off(why)
            elif journey.browser and free_memory() < ROOM:
                ballot.trouble = "no memory is free for another browser"
                await self._road.clock.sleep(_LOOKS_EVERY)
            else:
                await self._make(walked_for(journey, self._gate.order))
        finally:
            ballot.under_way -= 1
            self._changed()

    async def _make(self, journey: Journey) -> None:
        engine, clock, gate = self._road.engine, self._road.clock, self._gate
        request = replace(
            engine.request(journey, Trigger.GATE, ids.fresh_run_id(clock.wall()), None),
            trace_id=gate.trace_id,
            parent_id=gate.span_id,
            again=False,
            headers=gate.order.headers,
            withheld=self._withheld,
        )
        began = clock.monotonic()
        with (
            engine.stops.enlisted(journey.name) as stop,
            engine.live.following(request, clock.wall()) as followed,
        ):
            run = await self._run(request, followed, stop)
            self._vote(run, began, clock.monotonic())
            # Who waits for the verdict doesn't wait for the disk.
            self._changed()
            await self._keep(run)
            log_run(run, None)
            engine.live.ended(run, None)

    async def _run(self, request: RunRequest, followed: Followed, stop: Stop) -> RunResult:
        steady = SteadyTime(self._road.clock)
        try:
            return await self._road.engine.run(request, followed, stop=stop)
        except asyncio.CancelledError:
            why = "the agent was stopped under the run"
            await self._keep(interrupted(request, steady.started_at, steady.now(), why))
            raise
        except Exception as error:  # noqa: BLE001 - a fault of the agent's own costs one walk
            _log.exception("run.failed", action="gate", run_id=request.run_id)
            why = f"the agent failed under the run: {error!r}"
            return interrupted(request, steady.started_at, steady.now(), why)

    async def _keep(self, run: RunResult) -> None:
        try:
            await self._road.books.keep(self._gate.gate_id, run)
        except Exception:  # noqa: BLE001 - as above: what it said counts all the same
            _log.exception("run.unwritten", action="gate", run_id=run.run_id)

    # What it says.

    def _vote(self, run: RunResult, began: float, ended: float) -> None:
        name, attempt = run.journey.name, run.attempts[0] if run.attempts else None
        why = self._counted(name, run, attempt, began, ended)
        error = run.error.partition("\n")[0]
        if run.error_type is not None:
            self._errors[name] = error
        self._took.append(ended - began)
        if run.error_type is ErrorType.STOPPED:
            self.break_off(f"{name} was stopped by a person: {error}")
        self._gate.runs.append(
            {
                "run_id": run.run_id,
                "journey": name,
                "started_at": time(run.started_at),
                "duration": round(run.duration, 3),
                "result": run.result.value,
                "error_type": run.error_type.value if run.error_type else None,
                "error": error or None,
                "releases": sorted(releases_of(attempt)),
                "counts": not why,
                "why": why or None,
            }
        )

    def _counted(
        self, name: str, run: RunResult, attempt: Attempt | None, began: float, ended: float
    ) -> str:
        """Have a walk vote; return why it doesn't count, or nothing."""
        ballot = self._poll.ballots[name]
        if self._over.is_set():
            return _LATE
        if attempt is None or attempt.result is Result.NOT_MEASURED:
            kind = f"{run.error_type.value}: " if run.error_type else ""
            ballot.unmeasured(kind + run.error.partition("\n")[0])
            return "not measured"
        passed = attempt.result is Result.PASS
        if why := self._releases.refuses(releases_of(attempt), passed=passed):
            return why
        if not (ballot.passed(began) if passed else ballot.failed(began, ended)):
            return _SAME_MOMENT
        if passed:
            self.durations.setdefault(name, []).append(attempt.duration)
        return ""


def releases_of(attempt: Attempt | None) -> Collection[str]:
    """Return which releases answered an attempt, as far as the site says."""
    return attempt.releases if attempt else ()
