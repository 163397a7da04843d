"""Each journey as it stands: as it is declared, what it came to, and the run that explains it."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING

from agent.core.results import Result
from agent.daemon.figures import HOURS, share
from agent.daemon.journey_document import brief, declared, standing, written
from agent.runs.document import time
from agent.storage import incident, runs
from agent.storage.rollups import HOUR

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from agent.daemon.figures import Figures, Spans
    from agent.daemon.present import PresentJourney
    from agent.daemon.replica_report import ReplicaReport
    from agent.server.documents.briefs import BriefDocument
    from agent.server.documents.journey_page import StandingDocument

_HISTORY = 20
"""Results of a journey that are told."""
_MOST_BRIEFS = 1_000
"""Runs whose short form is remembered: two of each of some hundred journeys."""


class Standings:
    """Reads them. What a run came to never changes, so its short form is made once."""

    def __init__(self, location: str, replicas: ReplicaReport) -> None:
        self._location = location
        self._replicas = replicas
        self._briefs: OrderedDict[str, BriefDocument] = OrderedDict()
        """Used on the reader's thread alone."""

    def read(
        self,
        connection: sqlite3.Connection,
        live: Sequence[PresentJourney],
        figures: Mapping[str, Figures],
        spans: Spans,
    ) -> list[tuple[str, StandingDocument]]:
        """Return how these journeys stand, each with its name."""
        numbers = incident.numbers(connection, self._location)
        since = time(spans.begin(HOUR, HOURS))
        told: list[tuple[str, StandingDocument]] = []
        for one in live:
            name = one.journey.name
            document: StandingDocument = {
                **declared(one.journey, self._location),
                "running": one.running,
                "under_way": one.under_way,
                "next_at": written(one.next_at),
                **standing(one.journey, one.state, spans.now),
                "suspended": one.suspended,
                "last_run": self._newest(connection, name),
                "last_failure": self._newest(connection, name, Result.FAIL.value),
                "history": runs.results(connection, name, _HISTORY),
                "day": share(figures[name].day),
                "skipped_since": since,
                "skipped": figures[name].skipped,
                "incident": numbers.get(name),
            }
            told.append((name, document))
        return told

    def _newest(
        self, connection: sqlite3.Connection, journey: str, result: str = ""
    ) -> BriefDocument | None:
        run_id = runs.newest_id(connection, journey, result)
        if run_id is None:
            return None
        found = self._briefs.get(run_id)
        if found is None:
            (text,) = runs.find(connection, run_id)
            run = json.loads(text)
            made_by = self._replicas.made_by(run)
            found = brief(run, made_by)
            if made_by is not None:
                # Whether that replica can be asked is another matter the next time.
                return found
            self._briefs[run_id] = found
        self._briefs.move_to_end(run_id)
        while len(self._briefs) > _MOST_BRIEFS:
            self._briefs.popitem(last=False)
        return found
