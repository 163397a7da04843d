"""The switch with which people stop the agent's walks, and the windows that do so by the clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.core import ids
from agent.core.results import Result
from agent.core.suspension import Cause
from agent.runs.document import time
from agent.schedule import pause_record
from agent.schedule.pauses import Pause
from agent.storage.journey_state import JourneyState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import RunResult
    from agent.core.suspension import Mode
    from agent.replicas.shared_pauses import SharedPauses
    from agent.runs.engine import Engine
    from agent.schedule.maintenance import Turn, Window
    from agent.schedule.suspensions import Mark, Suspensions
    from agent.telemetry.telemetry import Telemetry

_log = structlog.get_logger("footfall.schedule")

_UNKNOWN = JourneyState()


@dataclass(frozen=True, slots=True)
class PauseOrder:
    """What somebody wants to have paused, to Unix time ``until``; None: until it is resumed."""

    journeys: tuple[str, ...] | None
    """None: all of them."""
    mode: Mode
    reason: str
    who: str
    until: float | None
    now: bool
    """Whether what runs is to end as well."""


class Switch:
    """Sets pauses and ends them, and tells when anything begins or ends, ``on_change`` too.

    What it does holds at once. That it outlives the agent is written down after that, so that a
    disk that refuses doesn't keep anybody from stopping the walks. Where the agent is one of
    several replicas, all of them have to hear of it first.
    """

    def __init__(
        self,
        suspensions: Suspensions,
        file: Path,
        engine: Engine,
        telemetry: Telemetry,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._shared: SharedPauses | None = None
        self._suspensions = suspensions
        self._file = file
        self._engine = engine
        self._telemetry = telemetry
        self._clock = clock
        self._on_change = on_change
        self._writing = asyncio.Lock()
        self._told: dict[tuple[str, Mark], bool] = {}
        self._turns: dict[Window, Turn] = {}
        self._held: set[str] = set()
        """Journeys that something suspended at the last look."""
        self._awaited: dict[str, float] = {}
        """Those that nothing suspends since a look, at that Unix time, whose verdict is awaited."""
        self._running = {pause.id for pause in suspensions.pauses.in_force(clock.wall())}
        self.trouble = ""
        """Why pauses would not outlive the agent; empty where they would."""

    def share(self, shared: SharedPauses) -> None:
        """Have pauses be those of all replicas from now on."""
        self._shared = shared

    async def pause(self, order: PauseOrder) -> tuple[Pause, list[str]]:
        """Pause what is ordered; return the pause, and of which journeys a run was ended here.

        Raises:
            Away: the other replicas can't be told, so nothing is paused.

        """
        now = self._clock.wall()
        pause = Pause(
            ids.fresh_run_id(now),
            order.journeys,
            order.mode,
            order.reason,
            order.who,
            now,
            order.until,
            now=order.now,
        )
        if self._shared is not None:
            await self._shared.add(pause)
        else:
            self._suspensions.pauses.set(pause)
        stopped = await self._begin(pause)
        await self._write()
        return pause, stopped

    async def resume(self, journeys: Collection[str] | None, who: str) -> list[Pause]:
        """Let journeys go (None: all); return the pauses that held any, as they are now.

        Raises:
            Away: the other replicas can't be told, so nothing is resumed here.

        """
        now = self._clock.wall()
        if self._shared is not None:
            changed = await self._shared.resume(journeys, now)
        else:
            changed = self._suspensions.pauses.resume(journeys, now)
        for pause in changed:
            if pause.is_over(now):
                self._running.discard(pause.id)
            resumed = "all" if journeys is None else sorted(set(journeys) & set(pause.resumed))
            _log.warning(
                "pause.ended",
                action="resume",
                **described(pause),
                resumed=resumed,
                resumed_by=who,
                over=pause.is_over(now),
            )
        if changed:
            self._telemetry.collect_at_once()
            await self._write()
        return changed

    async def heard(self, new: Sequence[Pause]) -> None:
        """Go by what other replicas have paused and resumed, which the pauses have already."""
        now = self._clock.wall()
        for pause in new:
            if not pause.is_over(now):
                await self._begin(pause)
        self._telemetry.collect_at_once()
        self._on_change()
        await self._write()

    async def _begin(self, pause: Pause) -> list[str]:
        """Have a pause hold that was just set; return of which journeys a run was ended."""
        self._running.add(pause.id)
        stopped: list[str] = []
        if pause.now:
            why = f"stopped by {pause.who}: {pause.reason}"
            stopped = await self._engine.stop_runs(pause.journeys, why)
        self._telemetry.collect_at_once()
        _log.warning("pause.set", action="pause", **described(pause), stopped=stopped)
        return stopped

    def replace_windows(self, windows: Iterable[Window]) -> None:
        """Go by the windows of another configuration."""
        self._suspensions.replace_windows(tuple(windows), self._clock.wall())

    def tick(self, journeys: Iterable[Journey]) -> None:
        """Look whether anything has begun or ended; once a second at least."""
        now = self._clock.wall()
        self._tell_pauses(now)
        self._tell_windows(journeys, now)
        told = {
            (journey.name, mark): value
            for journey in journeys
            if journey.enabled
            for mark, value in self._suspensions.told(journey, _UNKNOWN, now).items()
        }
        held = {journey.name for journey in journeys if self._suspensions.holding(journey, now)}
        self._awaited.update(dict.fromkeys(self._held - held, now))
        if told != self._told:
            self._telemetry.collect_at_once()
        if told != self._told or held != self._held:
            self._on_change()
        self._told, self._held = told, held

    def on_run(self, run: RunResult) -> None:
        """Take note of a run: the first verdict after a suspension is told at once."""
        since = self._awaited.get(run.journey.name)
        measured = run.result is not Result.NOT_MEASURED
        if since is not None and measured and run.started_at >= since:
            del self._awaited[run.journey.name]
            self._telemetry.collect_at_once()

    def on_verdicts(self, journeys: Collection[str]) -> None:
        """Take note of runs that other replicas made: one of them may be the first after it."""
        if not self._awaited.keys().isdisjoint(journeys):
            self._telemetry.collect_at_once()

    def _tell_pauses(self, now: float) -> None:
        for pause in self._suspensions.pauses.known:
            if pause.id in self._running and pause.is_over(now):
                self._running.discard(pause.id)
                _log.warning("pause.ended", action="resume", **described(pause), over=True)

    def _tell_windows(self, journeys: Iterable[Journey], now: float) -> None:
        windows = self._suspensions.windows
        for window in [*windows, *(gone for gone in self._turns if gone not in windows)]:
            turn = window.latest(now) if window in windows else None
            holds = turn is not None and now < turn.end
            before = self._turns.get(window)
            if before is not None and not (holds and turn and turn.begin == before.begin):
                del self._turns[window]
                self._log_window("window.ended", window, before, journeys)
            if turn is not None and holds:
                if before is None or before.begin != turn.begin:
                    self._log_window("window.began", window, turn, journeys)
                self._turns[window] = turn

    def _log_window(
        self, event: str, window: Window, turn: Turn, journeys: Iterable[Journey]
    ) -> None:
        told = window.maintenance
        _log.warning(
            event,
            action="pause" if event == "window.began" else "resume",
            cause=Cause.MAINTENANCE.value,
            mode=told.mode.value,
            reason=told.reason,
            since=time(turn.begin),
            until=time(turn.end),
            journeys=sorted(one.name for one in journeys if window.covers(one)),
        )

    async def _write(self) -> None:
        async with self._writing:
            pauses = self._suspensions.pauses.known
            try:
                await asyncio.to_thread(pause_record.write, self._file, pauses)
            except OSError as error:
                self.trouble = f"{self._file}: {error.strerror or error}"
                _log.error("pause.unwritable", action="pause", error=self.trouble)
            else:
                self.trouble = ""


def described(pause: Pause) -> dict[str, object]:
    """Return what a log line says of a pause."""
    return {
        "pause": pause.id,
        "mode": pause.mode.value,
        "reason": pause.reason,
        "who": pause.who,
        "since": time(pause.since),
        "until": None if pause.until is None else time(pause.until),
        "journeys": "all" if pause.journeys is None else list(pause.journeys),
    }
