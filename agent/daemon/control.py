"""Carrying out what people ask of a running agent, by signal or over the API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from agent.core.errors import ConfigError
from agent.daemon.adopt import adopt
from agent.daemon.pausing import Pausing
from agent.daemon.suspension_report import suspension_document
from agent.queue.shared import Away
from agent.runs.document import time
from agent.server.api import no_journey
from agent.server.control import Refused
from agent.storage import incident_moments, incidents

if TYPE_CHECKING:
    import sqlite3

    from agent.core.clock import Clock
    from agent.daemon.in_force import ConfigSource
    from agent.daemon.stations import Stations
    from agent.server.note_body import NoteBody
    from agent.server.pause_body import PauseBody, ResumeBody

_log = structlog.get_logger("footfall.daemon")

_ENDING = "the agent is ending: nothing is taken up any more"
_DISABLED = "journey {0} is disabled: set journey.{0}.enabled and reload, or use `footfall once`"
_UNDER_WAY = "a run of {} that somebody asked for is under way already: {}"
_NOT_NOTED = (
    "no note is added: the location's other replicas can't be told, since the server of queue.url "
    "is away ({}). Try again when it is back"
)
_COUNTS_FOR = "itself alone: no metric, no incident, not how the journey stands"


class Controls:
    """Does to the stations what is asked for; ``end`` before they drain."""

    def __init__(self, stations: Stations, source: ConfigSource, clock: Clock) -> None:
        self._stations = stations
        self._source = source
        self._clock = clock
        self._reloading = asyncio.Lock()
        self._pausing = Pausing(stations, clock)
        self._ended = False

    def end(self) -> None:
        """Refuse whatever is asked for from now on."""
        self._ended = True

    async def reload(self) -> dict[str, Any]:
        """Take up changed configuration and journeys; two who ask at once have it done twice.

        Raises:
            Refused: they are wrong, and all stays as it was; or the agent is ending.

        """
        async with self._reloading:
            self._refuse_at_the_end()
            in_force = self._stations.in_force
            try:
                changes = await in_force.renew(self._source, self._stations.engine, self._clock)
            except ConfigError as error:
                why = "the reload is refused, and the agent goes on as before"
                raise Refused(422, why, error.problems) from None
            await adopt(self._stations)
            self._stations.streams.publish("state", {"what": "reload"})
            told = changes.document()
            names = [journey.name for journey in in_force.now.journeys]
            _log.info("reload.done", action="reload", journeys=names, changes=told)
        warnings = [{"where": o.where, "message": o.message} for o in in_force.now.warnings]
        return {**told, "warnings": warnings}

    async def pause(self, asked: PauseBody) -> dict[str, Any]:
        """Pause journeys.

        Raises:
            Refused: nothing fits, or the agent is ending.

        """
        self._refuse_at_the_end()
        return await self._pausing.pause(asked)

    async def resume(self, asked: ResumeBody) -> dict[str, Any]:
        """Have paused journeys walk again.

        Raises:
            Refused: nothing fits, or the agent is ending.

        """
        self._refuse_at_the_end()
        return await self._pausing.resume(asked)

    async def run_now(self, journey: str) -> dict[str, Any]:
        """Have a journey walked beside its schedule.

        Raises:
            Refused: there is none such, it is disabled or under way, nothing can be written
                down now, or the agent is ending.

        """
        self._refuse_at_the_end()
        journeys, by_hand = self._stations.dispatcher.journeys, self._stations.by_hand
        found = journeys.get(journey)
        if found is None:
            raise Refused(404, no_journey(journey, sorted(journeys)))
        if not found.enabled:
            raise Refused(409, _DISABLED.format(journey))
        if (run_id := by_hand.of(journey)) is not None:
            raise Refused(409, _UNDER_WAY.format(journey, run_id))
        if trouble := self._stations.database.trouble:
            raise Refused(503, f"no run can be written down now: {trouble}")
        held = self._stations.suspensions.holding(found, self._clock.wall())
        request = await by_hand.ask(found)
        return {
            "run_id": request.run_id,
            "journey": journey,
            "trigger": request.trigger.value,
            "address": f"/api/v1/runs/{request.run_id}",
            "counts_for": _COUNTS_FOR,
            "suspended": suspension_document(held[0], over=False) if held else None,
        }

    async def note(self, incident: int, asked: NoteBody) -> dict[str, Any]:
        """Add a person's note to an incident.

        Raises:
            Refused: there is none such, it has too many, nothing can be written down now, or the
                agent is ending.

        """
        self._refuse_at_the_end()
        database, now = self._stations.database, self._clock.wall()
        if trouble := database.trouble:
            raise Refused(503, f"no note can be written down now: {trouble}")

        done = await self._add_note(incident, now, asked)
        if done is None:
            raise Refused(404, f"no incident has the number {incident}, or no longer")
        if not done:
            raise Refused(
                409, f"incident {incident} has {incident_moments.MOST_NOTES} notes already"
            )
        _log.info("incident.noted", action="note", incident=incident, who=asked.who)
        return {"incident": incident, "at": time(now), "who": asked.who, "text": asked.text}

    async def _add_note(self, incident: int, now: float, asked: NoteBody) -> bool | None:
        """Add a note, for all replicas where there are several; None: there is no such incident.

        Raises:
            Refused: the other replicas can't be told.

        """
        if (replica := self._stations.replica) is not None:
            try:
                return await replica.verdicts.add_note(incident, now, asked.who, asked.text)
            except Away as error:
                raise Refused(503, _NOT_NOTED.format(error)) from None

        def write(connection: sqlite3.Connection) -> bool | None:
            if not incidents.is_known(connection, incident):
                return None
            return incident_moments.add_note(connection, incident, now, asked.who, asked.text)

        return await self._stations.database.transaction(write)

    def _refuse_at_the_end(self) -> None:
        if self._ended:
            raise Refused(503, _ENDING)
