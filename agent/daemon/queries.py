"""What a person who answers a page asks for: how each journey stands, its runs and incidents.

Everything is looked up beside the agent's work, see ``Reader``.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from agent.daemon import figures
from agent.daemon.deploy_document import deploy_document
from agent.daemon.figures import FiguresReader, Spans
from agent.daemon.incident_document import incident_document
from agent.daemon.journey_document import of_certificate
from agent.daemon.journey_history import history
from agent.daemon.links import artifacts_of, links
from agent.daemon.run_detail import RunDetail, look_up
from agent.daemon.standings import Standings
from agent.runs.document import time
from agent.storage import certificates, deploys, gates, incident, journey_state, runs
from agent.storage.certificates import MOST_TOLD

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from agent.core.clock import Clock
    from agent.daemon.agent_document import AgentReport
    from agent.daemon.present import Present
    from agent.daemon.replica_report import ReplicaReport
    from agent.daemon.suspension_report import SuspensionReport
    from agent.server.documents.deploys import DeployDocument
    from agent.server.documents.gates import GateDocument
    from agent.server.documents.incident_pages import IncidentDocument, IncidentsDocument
    from agent.server.documents.journey_page import (
        JourneyDocument,
        OverviewJourney,
        StandingDocument,
    )
    from agent.server.documents.overview import CertificateDocument, OverviewDocument
    from agent.server.documents.run_page import RunDocument
    from agent.storage.journey_state import JourneyState
    from agent.storage.reader import Reader

_GATES = 10
_INCIDENTS = 20
"""Of a journey that are told, the newest."""
_DEPLOYS = 10
"""Of its site."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What the overview tells beside the journeys, and where evidence lies."""

    suspended: SuspensionReport
    agent: AgentReport
    replicas: ReplicaReport
    artifacts: Path
    trace_link: Callable[[], str]
    """Returns the address of a trace, with fields for what is known of it; empty: none is set."""


class Overview:
    """Answers what pages and API ask."""

    def __init__(
        self, location: str, present: Present, reported: Reported, reader: Reader, clock: Clock
    ) -> None:
        self._location = location
        self._present = present
        self._reported = reported
        self._reader = reader
        self._clock = clock
        self._standings = Standings(location, reported.replicas)
        self._figures = FiguresReader(location)

    @property
    def environment(self) -> str:
        """The environment of what is walked."""
        return self._reported.agent.environment

    def loaded(self) -> list[str]:
        """Return the names of the journeys that are loaded."""
        return sorted(self._present.journeys)

    async def knows(self, journey: str) -> bool:
        """Whether a journey is loaded, or has runs from when it was."""
        if journey in self._present.journeys:
            return True
        return await self._reader.read(lambda connection: runs.knows(connection, journey))

    async def journeys(self, days: int = figures.OVERVIEW_DAYS) -> OverviewDocument:
        """Return every loaded journey, by name, with what it came to, in bars of so many days.

        Raises:
            StateError: the history can't be read now.

        """
        agent = asyncio.create_task(self._reported.agent.document())
        try:
            names = self.loaded()
            now, spans = self._clock.wall(), Spans(self._clock.wall())
            standings = self._standings
            live = self._present.of(names, self._reported.suspended, await self._states())

            def look(
                connection: sqlite3.Connection,
            ) -> tuple[list[OverviewJourney], list[IncidentDocument], list[CertificateDocument]]:
                of_all = self._figures.read(connection, names, spans)
                told: list[OverviewJourney] = [
                    {
                        **standing,
                        "uptime": of_all[name].uptime,
                        "bars": {"hours": of_all[name].hours, "days": of_all[name].days[-days:]},
                    }
                    for name, standing in standings.read(connection, live, of_all, spans)
                ]
                ongoing = [
                    incident_document(connection, one, now)
                    for one in incident.open_ones(connection, self._location)
                ]
                loaded = (one.journey for one in live)
                known = certificates.of_journeys(certificates.read(connection), loaded, now)
                near = [of_certificate(one.certificate, now) for one in known[:MOST_TOLD]]
                return told, ongoing, near

            journeys, ongoing, near = await self._reader.read(look)
            document: OverviewDocument = {
                "at": time(now),
                "location": self._location,
                "journeys": journeys,
                "bars": figures.bar_spans(spans, days),
                "incidents": ongoing,
                "certificates": near,
                "pauses": self._reported.suspended.pauses(),
                "maintenance": self._reported.suspended.windows([one.journey for one in live]),
                "agent": await agent,
            }
            if replicas := self._reported.replicas.documents():
                document["replicas"] = replicas
            return document
        finally:
            agent.cancel()

    async def journey(self, name: str) -> JourneyDocument | None:
        """Return all about a journey; None: it is neither loaded nor has it any run.

        Raises:
            StateError: the history can't be read now.

        """
        if not await self.knows(name):
            return None
        now, spans = self._clock.wall(), Spans(self._clock.wall())
        names = [name] if name in self._present.journeys else []
        live = self._present.of(names, self._reported.suspended, await self._states())

        def look(connection: sqlite3.Connection) -> JourneyDocument:
            of_all = self._figures.read(connection, [name], spans)
            read = self._standings.read(connection, live, of_all, spans)
            standing: StandingDocument | None = read[0][1] if read else None
            listed = incident.of_journey(connection, self._location, name, _INCIDENTS)
            return {
                "at": time(now),
                "location": self._location,
                "loaded": standing is not None,
                "name": name,
                "journey": standing,
                "uptime": of_all[name].uptime,
                **history(connection, (name, self._location), spans, self._reported.replicas),
                "incidents": [incident_document(connection, one, now) for one in listed],
                "deploys": self._deploys_of(connection, standing),
                "gates": cast("list[GateDocument]", gates.of_journey(connection, name, _GATES)),
            }

        return await self._reader.read(look)

    async def runs(self, journey: str, result: str, limit: int) -> tuple[list[str], dict[str, str]]:
        """Return the newest runs as JSON texts, newest first, and the links of their artifacts.

        Raises:
            StateError: the history can't be read now.

        """

        def look(connection: sqlite3.Connection) -> tuple[list[str], dict[str, str]]:
            found = runs.newest(connection, limit, journey, result)
            listed = [json.loads(text) for text in found]
            here = [run for run in listed if self._reported.replicas.made_by(run) is None]
            return found, links(path for run in here for path in artifacts_of(run))

        return await self._reader.read(look)

    async def run(self, run_id: str) -> RunDocument | None:
        """Return one run, see ``look_up``.

        Raises:
            StateError: the history can't be read now.

        """
        if followed := self._present.runs.find(run_id):
            return cast("RunDocument", followed.document())
        told = self._reported
        detail = RunDetail(self._location, told.artifacts, told.replicas, told.trace_link())
        return await self._reader.read(lambda connection: look_up(connection, run_id, detail))

    def elsewhere(self) -> list[str]:
        """Return the addresses of the other replicas that are heard."""
        return self._reported.replicas.elsewhere()

    async def incidents(self, limit: int, before: int | None = None) -> IncidentsDocument:
        """Return incidents, the open ones first; of numbers below ``before``, if that is given.

        Raises:
            StateError: the history can't be read now.

        """
        now = self._clock.wall()

        def look(connection: sqlite3.Connection) -> list[IncidentDocument]:
            found = incident.newest(connection, self._location, limit + 1, before)
            return [incident_document(connection, one, now) for one in found]

        found = await self._reader.read(look)
        return {
            "at": time(now),
            "location": self._location,
            "incidents": found[:limit],
            "more": len(found) > limit,
        }

    async def incident(self, number: int) -> IncidentDocument | None:
        """Return one incident; None: there is none such, or no longer.

        Raises:
            StateError: the history can't be read now.

        """
        now = self._clock.wall()

        def look(connection: sqlite3.Connection) -> IncidentDocument | None:
            found = incident.find(connection, number)
            return None if found is None else incident_document(connection, found, now)

        return await self._reader.read(look)

    @staticmethod
    def _deploys_of(
        connection: sqlite3.Connection, standing: StandingDocument | None
    ) -> list[DeployDocument]:
        if standing is None:
            return []
        return [
            deploy_document(one) for one in deploys.newest(connection, _DEPLOYS, standing["site"])
        ]

    async def _states(self) -> dict[str, JourneyState]:
        return await self._reader.read(
            lambda connection: journey_state.read(connection, self._location)
        )
