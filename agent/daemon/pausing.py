"""Pausing and resuming as people ask for it: by name, glob or owner."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.core.suspension import Cause, Mode
from agent.core.units import parse_duration
from agent.daemon.suspension_report import pause_document
from agent.daemon.switch import PauseOrder
from agent.queue.shared import Away
from agent.runs.document import time
from agent.schedule.maintenance import selects
from agent.server.api import no_journey
from agent.server.control import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.clock import Clock
    from agent.daemon.stations import Stations
    from agent.schedule.pauses import Pause
    from agent.server.pause_body import PauseBody, ResumeBody

_NOT_PAUSED = (
    "nothing is paused: the location's other replicas can't be told, since the server of queue.url "
    "is away ({}). Try again when it is back; what runs here alone ends with this agent"
)
_NOT_RESUMED = (
    "nothing is resumed: the location's other replicas can't be told, since the server of "
    "queue.url is away ({}). Try again when it is back"
)
_MOST = 1000
"""Pauses that may hold at once: more are somebody's loop."""


class Pausing:
    """Has the switch do what is asked for, and says what came of it."""

    def __init__(self, stations: Stations, clock: Clock) -> None:
        self._stations = stations
        self._clock = clock

    async def pause(self, asked: PauseBody) -> dict[str, Any]:
        """Pause journeys; return the pause, and what runs.

        Raises:
            Refused: no journey is of such a name, the time is over, too many hold, or the other
                replicas can't be told.

        """
        chosen = self._chosen(asked.journeys)
        held = self._stations.suspensions.pauses.in_force(self._clock.wall())
        if len(held) >= _MOST:
            raise Refused(409, f"{_MOST} pauses hold already: resume some of them first")
        order = PauseOrder(
            None if chosen is None else tuple(chosen),
            Mode(asked.mode),
            asked.reason,
            asked.who,
            self._until(asked),
            asked.now,
        )
        try:
            pause, stopped = await self._stations.switch.pause(order)
        except Away as error:
            raise Refused(503, _NOT_PAUSED.format(error)) from None
        here, elsewhere = self._under_way(pause)
        return {
            "pause": pause_document(pause),
            "stopped": stopped,
            "stopping": elsewhere if asked.now else [],
            "running": [] if asked.now else sorted({*here, *elsewhere}),
            "warning": self._warning(),
        }

    async def resume(self, asked: ResumeBody) -> dict[str, Any]:
        """Resume journeys; return which were paused, and which a window still holds.

        Raises:
            Refused: no journey is of such a name, or the other replicas can't be told.

        """
        stations = self._stations
        now = self._clock.wall()
        journeys = stations.dispatcher.journeys
        chosen = self._chosen(asked.journeys)
        named = sorted(journeys) if chosen is None else chosen
        pauses = stations.suspensions.pauses
        paused = [name for name in named if any(one.holds(name, now) for one in pauses.known)]
        try:
            changed = await stations.switch.resume(chosen, asked.who)
        except Away as error:
            raise Refused(503, _NOT_RESUMED.format(error)) from None
        held = [
            {"journey": name, "until": until and time(until), "reason": window.reason}
            for name in named
            if name in journeys
            for window in stations.suspensions.holding(journeys[name], now)[:1]
            if window.cause is Cause.MAINTENANCE
            for until in (window.until,)
        ]
        return {
            "resumed": paused,
            "pauses": [pause_document(one) for one in changed],
            "held": held,
            "warning": self._warning(),
        }

    def _under_way(self, pause: Pause) -> tuple[list[str], list[str]]:
        """Return what is walked that a pause is to stop: here, and at other replicas."""
        replica = self._stations.replica
        elsewhere = replica.presence.walking() if replica is not None else ()
        here, there = (
            [name for name in sorted(names) if pause.names(name) and pause.mode is Mode.STOP]
            for names in (self._stations.engine.stops.under_way, elsewhere)
        )
        return here, there

    def _chosen(self, selectors: Sequence[str] | None) -> list[str] | None:
        """Return the journeys that are meant, by name; None: all of them."""
        if selectors is None:
            return None
        loaded = self._stations.dispatcher.journeys
        now = self._clock.wall()
        # One that is gone from the configuration may be paused still.
        gone = {
            name
            for pause in self._stations.suspensions.pauses.in_force(now)
            for name in pause.journeys or ()
            if name not in loaded
        }
        chosen: set[str] = set()
        for selector in selectors:
            fits = {name for name, one in loaded.items() if selects(selector, one)}
            fits |= gone & {selector}
            if not fits:
                raise Refused(404, no_journey(selector, sorted(loaded)))
            chosen |= fits
        return sorted(chosen)

    def _until(self, asked: PauseBody) -> float | None:
        now = self._clock.wall()
        if asked.lasts is not None:
            return now + parse_duration(asked.lasts)
        if asked.until is None:
            return None
        until = datetime.fromisoformat(asked.until).timestamp()
        if until <= now:
            raise Refused(422, f"{asked.until} is over: it is {time(now)}")
        return until

    def _warning(self) -> str:
        trouble = self._stations.switch.trouble
        return f"it holds, but not over a restart of the agent: {trouble}" if trouble else ""
