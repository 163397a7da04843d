"""One run by its id: as it is kept with its evidence, or how far it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from agent.core.model import Trigger
from agent.core.run_document import failed_step
from agent.daemon.attempt_document import attempt_document, read_notes, screenshot_of
from agent.daemon.deploy_document import near_deploy
from agent.daemon.links import artifacts_of, links
from agent.schedule import slots
from agent.storage import asked_runs, gates, incident, runs, walks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from agent.daemon.replica_report import ReplicaReport
    from agent.server.documents.attempt_evidence import AttemptDocument
    from agent.server.documents.deploys import NearDeploy
    from agent.server.documents.run_page import LastPass, RunDocument

_SHORTEST = 8
"""Characters of an id that may stand for all of it."""


@dataclass(frozen=True, slots=True)
class RunDetail:
    """Tells all that is known of a run that is over."""

    location: str
    artifacts: Path
    """The folder of evidence."""
    replicas: ReplicaReport
    trace_link: str
    """The address of a trace, with ``{trace_id}``, ``{run_id}``, ``{journey}``; empty: none."""

    def document(self, connection: sqlite3.Connection, run: dict[str, Any]) -> RunDocument:
        """Return it, of a run in its public form."""
        around = runs.around(connection, run["run_id"], run["journey"])
        made_by = self.replicas.made_by(run)
        told: RunDocument = {
            "run_id": run["run_id"],
            "journey": run["journey"],
            "trigger": run["trigger"],
            "state": "ended",
            "run": run,
            "links": links(() if made_by else artifacts_of(run)),
            "walks": self._walks(connection, run),
            # By the table of verdicts it always is the last.
            "decided_by": len(run["attempts"]) - 1,
            "failed_step": failed_step(run),
            # Runs of an earlier version have none.
            "changes": run.get("changes", []),
            "compared_with": run.get("compared_with", 0),
            "last_pass": _last_pass(around.last_pass),
            "previous": around.previous,
            "next": around.next,
            "incident": self._incident(connection, run),
            "deploy": self._deploy(connection, run),
            "trace_link": self._trace_link(run),
        }
        if made_by is not None:
            told["made_by"] = made_by
        return told

    def _walks(
        self, connection: sqlite3.Connection, run: Mapping[str, Any]
    ) -> list[AttemptDocument]:
        seen = walks.find(connection, run["run_id"]).get("attempts", [])
        by_number = {one["number"]: one for one in seen}
        return [
            attempt_document(
                number,
                attempt,
                by_number.get(number, {}),
                read_notes(self.artifacts, attempt["artifacts"]),
            )
            for number, attempt in enumerate(run["attempts"], 1)
        ]

    def _incident(self, connection: sqlite3.Connection, run: Mapping[str, Any]) -> int | None:
        if run["trigger"] != Trigger.SCHEDULE:
            return None
        began = datetime.fromisoformat(run["started_at"]).timestamp()
        key = run["journey"], self.location
        return incident.at(connection, key, began, began + run["duration"])

    @staticmethod
    def _deploy(connection: sqlite3.Connection, run: Mapping[str, Any]) -> NearDeploy | None:
        began = datetime.fromisoformat(run["started_at"]).timestamp()
        until = began + sum(one["duration"] for one in run["attempts"])
        return near_deploy(connection, run["site"], began, until, run)

    def _trace_link(self, run: Mapping[str, Any]) -> str | None:
        if not self.trace_link:
            return None
        link = self.trace_link
        for name in ("trace_id", "run_id", "journey"):
            link = link.replace(f"{{{name}}}", quote(run[name], safe=""))
        return link


def look_up(connection: sqlite3.Connection, run_id: str, detail: RunDetail) -> RunDocument | None:
    """Return the run of an id, or of the beginning of one; None: there is none such, or several."""
    if len(run_id) < _SHORTEST:
        return None
    found = [
        *runs.find(connection, run_id),
        *asked_runs.find(connection, run_id),
        *gates.find_runs(connection, run_id),
    ]
    if len(found) == 1:
        return detail.document(connection, json.loads(found[0]))
    slot = slots.state_of(connection, run_id)
    return None if slot is None else _of_slot(run_id, *slot)


def _of_slot(run_id: str, journey: str, state: str, reason: str | None) -> RunDocument:
    """Return what is known of a slot's run that has no result."""
    told: RunDocument = {
        "run_id": run_id,
        "journey": journey,
        "trigger": Trigger.SCHEDULE.value,
        "state": "running" if state == "running" else "waiting",
    }
    if reason is not None:
        told["state"] = "skipped"
        told["reason"] = reason
    return told


def _last_pass(text: str | None) -> LastPass | None:
    if text is None:
        return None
    run = json.loads(text)
    return {
        "run_id": run["run_id"],
        "started_at": run["started_at"],
        "duration": run["duration"],
        "screenshot": screenshot_of(run),
    }
