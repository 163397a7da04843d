"""What a person who answers a page asks for: how each journey stands, and its runs.

Everything is looked up beside the agent's work, see ``Reader``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.core.results import Result
from agent.daemon.journey_document import (
    brief,
    declared,
    of_certificate,
    of_day,
    of_skipped,
    standing,
    written,
)
from agent.daemon.run_lookup import artifacts_of, links, look_up
from agent.runs.document import time
from agent.schedule import measured, skips
from agent.storage import certificates, journey_state, runs
from agent.storage.certificates import MOST_TOLD
from agent.storage.journey_state import JourneyState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.daemon.suspension_report import SuspensionReport
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.live_runs import LiveRuns
    from agent.schedule.measured import Measured
    from agent.schedule.ticker import Ticker
    from agent.schedule.timeline import Timeline
    from agent.storage.certificates import Known
    from agent.storage.reader import Reader

_LOOKED_BACK = 24 * 3600.0
"""Seconds over which slots are counted."""
_COUNTED_FOR = 10.0
"""Seconds for which such a count holds: there may be some hundred thousand."""
_HISTORY = 20
"""Results of a journey that are told."""


@dataclass(frozen=True, slots=True)
class _Live:
    """What the schedule knows of a journey at this moment."""

    journey: Journey
    next_at: float | None
    running: bool


class Overview:
    """Answers the routes of the API."""

    def __init__(
        self,
        location: str,
        dispatcher: Dispatcher,
        ticker: Ticker,
        timeline: Timeline,
        suspended: SuspensionReport,
        reader: Reader,
        clock: Clock,
        live: LiveRuns,
    ) -> None:
        self._location = location
        self._dispatcher = dispatcher
        self._ticker = ticker
        self._timeline = timeline
        self._suspended = suspended
        self._reader = reader
        self._clock = clock
        self._live = live
        self._counted: tuple[float, Mapping[str, Measured]] = (-_COUNTED_FOR, {})

    def _next_at(self, journey: str) -> float | None:
        at = self._ticker.next_closer(journey) or self._ticker.next_slot(journey)
        return None if at is None else self._timeline.on_wall(at)

    def loaded(self) -> list[str]:
        """Return the names of the journeys that are loaded."""
        return sorted(self._dispatcher.journeys)

    async def knows(self, journey: str) -> bool:
        """Whether a journey is loaded, or has runs from when it was."""
        if journey in self._dispatcher.journeys:
            return True
        return await self._reader.read(lambda connection: runs.knows(connection, journey))

    async def journeys(self) -> dict[str, Any]:
        """Return every loaded journey, by name, with what it came to.

        Raises:
            StateError: the history can't be read now.

        """
        now, since = self._clock.wall(), self._timeline.now() - _LOOKED_BACK
        on_wall = self._timeline.on_wall
        live = [
            _Live(journey, self._next_at(name), self._is_running(name))
            for name, journey in sorted(self._dispatcher.journeys.items())
        ]

        def look(connection: sqlite3.Connection) -> tuple[list[dict[str, Any]], list[Known]]:
            skipped = skips.since(connection, self._location, since)
            day = self._day(connection, since)
            states = journey_state.read(connection, self._location)
            told = [
                {
                    **declared(one.journey, self._location),
                    "running": one.running,
                    "next_at": written(one.next_at),
                    **standing(one.journey, states.get(one.journey.name, JourneyState()), now),
                    "suspended": self._suspended.of(
                        one.journey, states.get(one.journey.name, JourneyState())
                    ),
                    "last_run": _newest(connection, one.journey.name),
                    "last_failure": _newest(connection, one.journey.name, Result.FAIL.value),
                    "history": runs.results(connection, one.journey.name, _HISTORY),
                    "day": of_day(day.get(one.journey.name)),
                    "skipped_since": time(now - _LOOKED_BACK),
                    "skipped": [
                        of_skipped(row, on_wall) for row in skipped.get(one.journey.name, ())
                    ],
                }
                for one in live
            ]
            return told, certificates.read(connection)

        found, known = await self._reader.read(look)
        return {
            "at": time(now),
            "location": self._location,
            "journeys": found,
            "certificates": [
                of_certificate(one.certificate, now)
                for one in certificates.of_journeys(known, (one.journey for one in live), now)[
                    :MOST_TOLD
                ]
            ],
            **self._suspended.listed(),
        }

    def _day(self, connection: sqlite3.Connection, since: float) -> Mapping[str, Measured]:
        """Return the day's figures; on the reader's thread, and not for each who asks anew."""
        at, found = self._counted
        if not 0 <= since - at < _COUNTED_FOR:
            found = measured.since(connection, self._location, since)
            self._counted = since, found
        return found

    def _is_running(self, name: str) -> bool:
        return self._dispatcher.is_busy(name) or self._dispatcher.beside.is_walking(name)

    async def runs(self, journey: str, result: str, limit: int) -> tuple[list[str], dict[str, str]]:
        """Return the newest runs as JSON texts, newest first, and the links of their artifacts.

        Raises:
            StateError: the history can't be read now.

        """

        def look(connection: sqlite3.Connection) -> tuple[list[str], dict[str, str]]:
            found = runs.newest(connection, limit, journey, result)
            return found, links(path for text in found for path in artifacts_of(json.loads(text)))

        return await self._reader.read(look)

    async def run(self, run_id: str) -> dict[str, Any] | None:
        """Return one run, see ``look_up``.

        Raises:
            StateError: the history can't be read now.

        """
        if followed := self._live.find(run_id):
            return followed.document()
        return await self._reader.read(lambda connection: look_up(connection, run_id))


def _newest(
    connection: sqlite3.Connection, journey: str, result: str = ""
) -> dict[str, Any] | None:
    found = runs.newest(connection, 1, journey, result)
    return brief(json.loads(found[0])) if found else None
