"""One run by its id: as it is kept, or how far it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.core.model import Trigger
from agent.schedule import slots
from agent.server.artifacts import link
from agent.storage import asked_runs, runs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

_SHORTEST = 8
"""Characters of an id that may stand for all of it."""


def look_up(connection: sqlite3.Connection, run_id: str) -> dict[str, Any] | None:
    """Return the run of an id, or of the beginning of one; None: there is none such, or several."""
    if len(run_id) < _SHORTEST:
        return None
    found = [*runs.find(connection, run_id), *asked_runs.find(connection, run_id)]
    if len(found) == 1:
        run = json.loads(found[0])
        told = {key: run[key] for key in ("run_id", "journey", "trigger")}
        return {**told, "state": "ended", "run": run, "links": links(artifacts_of(run))}
    slot = slots.state_of(connection, run_id)
    return None if slot is None else _of_slot(run_id, *slot)


def artifacts_of(run: Mapping[str, Any]) -> list[str]:
    """Return the paths of all that is kept of a run's attempts."""
    return [path for attempt in run["attempts"] for path in attempt["artifacts"]]


def links(artifacts: Iterable[str]) -> dict[str, str]:
    """Return where each of these is served."""
    return {path: link(path) for path in artifacts}


def _of_slot(run_id: str, journey: str, state: str, reason: str | None) -> dict[str, Any]:
    """Return what is known of a slot's run that has no result."""
    told = {"run_id": run_id, "journey": journey, "trigger": Trigger.SCHEDULE.value}
    if reason is not None:
        return {**told, "state": "skipped", "reason": reason}
    return {**told, "state": {"offered": "waiting"}.get(state, state)}
