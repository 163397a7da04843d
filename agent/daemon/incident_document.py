"""What the API tells of an incident."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.daemon.deploy_document import deploy_document, near_deploy
from agent.runs.document import time
from agent.storage import deploys, gates, runs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from typing import Any

    from agent.core.deploy import Deploy
    from agent.server.documents.incident_pages import (
        IncidentDocument,
        MomentDocument,
        OutageDocument,
    )
    from agent.storage.incident import Incident, Moment, Outage

_PAGE = "page"
"""The severity that wakes somebody."""
_DEPLOYS = 20
_GATES = 20
"""Of an incident's time that are told, the newest."""


def incident_document(
    connection: sqlite3.Connection, incident: Incident, now: float
) -> IncidentDocument:
    """Return an incident as it is at Unix time ``now``."""
    outages = sorted(incident.outages, key=lambda one: one.began_at)
    first = outages[0] if outages else None
    severities = [one.severity for one in outages]
    ended, site = incident.ended_at, incident.site
    until = now if ended is None else ended
    went_out = deploys.between(connection, site, incident.began_at - deploys.NEAR, until, _DEPLOYS)
    told = [*map(_moment, incident.moments), *map(_of_deploy, went_out)]
    asked = gates.of_site(connection, site, incident.began_at - deploys.NEAR, until, _GATES)
    told += map(_of_gate, asked)
    return {
        "id": incident.number,
        "site": incident.site,
        "location": incident.location,
        "open": ended is None,
        "began_at": time(incident.began_at),
        "opened_at": time(incident.opened_at),
        "ended_at": None if ended is None else time(ended),
        "seconds": round(max(0.0, until - incident.began_at), 3),
        "severity": _PAGE if _PAGE in severities else next(filter(None, severities), ""),
        "error_type": first.error_type if first else "",
        "error": first.error if first else "",
        "step": first.step if first else "",
        "run_id": first.run_id if first else None,
        "deploy": near_deploy(
            connection,
            site,
            incident.began_at,
            incident.opened_at,
            _kept(connection, first.run_id) if first else None,
        ),
        "outages": [_outage(one) for one in outages],
        # A release stands before what began with its first walk.
        "timeline": sorted(told, key=lambda one: (one["at"], one["kind"] != "deploy")),
    }


def _kept(connection: sqlite3.Connection, run_id: str | None) -> dict[str, Any] | None:
    """Return a run in its public form, where it is still kept."""
    found = runs.find(connection, run_id) if run_id else []
    return json.loads(found[0]) if len(found) == 1 else None


def _outage(one: Outage) -> OutageDocument:
    return {
        "journey": one.journey,
        "severity": one.severity,
        "owner": one.owner,
        "runbook": one.runbook,
        "began_at": time(one.began_at),
        "opened_at": time(one.opened_at),
        "ended_at": None if one.ended_at is None else time(one.ended_at),
        "ended_by": one.ended_by,
        "fails": one.fails,
        "error_type": one.error_type,
        "error": one.error,
        "step": one.step,
        "run_id": one.run_id,
    }


def _moment(one: Moment) -> MomentDocument:
    return {
        "at": time(one.at),
        "kind": one.kind,
        "journey": one.journey,
        "run_id": one.run_id,
        "text": one.text,
        "who": one.who,
    }


def _of_deploy(one: Deploy) -> MomentDocument:
    told = deploy_document(one)
    return {
        "at": told["at"],
        "kind": "deploy",
        "journey": None,
        "run_id": None,
        "text": f"release {one.release}",
        "who": one.source,
    }


def _of_gate(told: Mapping[str, Any]) -> MomentDocument:
    release = f" of release {told['release']}" if told["release"] else ""
    reason = f": {told['reasons'][0]}" if told["reasons"] else ""
    return {
        "at": told["ended_at"] or told["asked_at"],
        "kind": "gate",
        "journey": None,
        "run_id": None,
        "text": f"{told['verdict']}{release}{reason}",
        "who": told["source"],
    }
