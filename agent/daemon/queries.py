"""What a person who answers a page asks for: how each journey stands, and its runs.

Everything is looked up beside the agent's work, see ``Reader``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from agent.core.results import Result
from agent.core.run_document import blamed_attempt, failed_step
from agent.core.units import format_duration
from agent.daemon.run_lookup import artifacts_of, links, look_up
from agent.runs.document import time
from agent.schedule import measured, skips
from agent.server.artifacts import link
from agent.storage import certificates, journey_state, runs
from agent.storage.certificates import MOST_TOLD
from agent.storage.journey_state import JourneyState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from agent.core.certificate import Certificate
    from agent.core.clock import Clock
    from agent.core.model import Cadence, Journey
    from agent.daemon.suspension_report import SuspensionReport
    from agent.runs.by_hand import RunsByHand
    from agent.runs.dispatcher import Dispatcher
    from agent.schedule.measured import Measured
    from agent.schedule.skips import Skipped
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
        by_hand: RunsByHand,
    ) -> None:
        self._location = location
        self._dispatcher = dispatcher
        self._ticker = ticker
        self._timeline = timeline
        self._suspended = suspended
        self._reader = reader
        self._clock = clock
        self._by_hand = by_hand
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
            standing = [
                {
                    **_declared(one.journey, self._location),
                    "running": one.running,
                    "next_at": _time(one.next_at),
                    **_standing(one.journey, states.get(one.journey.name, JourneyState()), now),
                    "suspended": self._suspended.of(
                        one.journey, states.get(one.journey.name, JourneyState())
                    ),
                    "last_run": _newest(connection, one.journey.name),
                    "last_failure": _newest(connection, one.journey.name, Result.FAIL.value),
                    "history": runs.results(connection, one.journey.name, _HISTORY),
                    "day": _of_day(day.get(one.journey.name)),
                    "skipped_since": time(now - _LOOKED_BACK),
                    "skipped": [
                        _skipped(row, on_wall) for row in skipped.get(one.journey.name, ())
                    ],
                }
                for one in live
            ]
            return standing, certificates.read(connection)

        found, known = await self._reader.read(look)
        return {
            "at": time(now),
            "location": self._location,
            "journeys": found,
            "certificates": [
                _certificate(one.certificate, now)
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
        if followed := self._by_hand.find(run_id):
            return followed.document()
        return await self._reader.read(lambda connection: look_up(connection, run_id))


def _certificate(certificate: Certificate, now: float) -> dict[str, Any]:
    return {
        "host": certificate.host,
        "ends_at": time(certificate.ends_at),
        "lifetime": certificate.lifetime,
        "near": certificate.is_near(now),
    }


def _declared(journey: Journey, location: str) -> dict[str, Any]:
    return {
        "journey": journey.name,
        "summary": journey.summary,
        "site": journey.site.name,
        "url": journey.site.url,
        "location": location,
        "owner": journey.owner,
        "severity": journey.severity,
        "runbook": journey.runbook,
        "file": f"{journey.file}:{journey.line}",
        "every": _every(journey.cadence),
        "timezone": journey.cadence.timezone,
        "timeout": journey.timeout,
        "slow": journey.slow,
        "every_failing": journey.every_failing,
        "enabled": journey.enabled,
    }


def _every(cadence: Cadence) -> str:
    return cadence.cron or format_duration(cadence.seconds or 0.0)


def _standing(journey: Journey, state: JourneyState, now: float) -> dict[str, Any]:
    return {
        "up": state.is_up(journey.interval, now) if journey.enabled else None,
        "consecutive_failures": state.consecutive_failures,
        "consecutive_slow": state.consecutive_slow,
        "failing_since": _past(state.failing_since, now),
        "last_success_at": _past(state.last_success, now),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else time(at)


def _past(at: float | None, now: float) -> str | None:
    """Write a moment of the past: of one before the clock was set back no more is known."""
    return None if at is None else time(min(at, now))


def _newest(
    connection: sqlite3.Connection, journey: str, result: str = ""
) -> dict[str, Any] | None:
    found = runs.newest(connection, 1, journey, result)
    return _brief(json.loads(found[0])) if found else None


def _brief(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a run what leads to its cause: the error, where it was, and the evidence."""
    blamed = blamed_attempt(run)
    # A flaky run was decided by an attempt that passed and has none.
    artifacts = run["artifacts"] or blamed.get("artifacts", [])
    screenshots = [path for path in artifacts if PurePosixPath(path).name == "screenshot.png"]
    told = ("run_id", "result", "scheduled_at", "started_at", "duration", "error_type", "error")
    return {
        **{key: run[key] for key in told},
        "step": failed_step(run),
        # Runs of an earlier version have none.
        "place": run.get("place"),
        "slow": run.get("slow", []),
        "trace_id": run["trace_id"],
        "screenshot": link(screenshots[0]) if screenshots else None,
        "artifacts": artifacts,
        "links": links(artifacts),
    }


def _of_day(found: Measured | None) -> dict[str, Any]:
    """Return uptime and what it stands on, in per cent; null where nothing is known."""
    if found is None:
        return {"slots": 0, "uptime": None, "measured": None}
    return {"slots": found.slots, "uptime": found.uptime, "measured": found.share}


def _skipped(skipped: Skipped, on_wall: Callable[[float], float]) -> dict[str, Any]:
    return {
        "reason": skipped.reason.value,
        "count": skipped.count,
        "last_at": time(on_wall(skipped.last_at)),
    }
