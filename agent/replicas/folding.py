"""How a journey stands over all replicas, as one document: each run is taken into it once.

Runs follow each other by when they were due, on whichever machine they were walked. One that
comes late, after a newer one, is put where it belongs among the last of them: the fails in a row
are counted as if it had come in time, and what was told of the journey stays told.

The arithmetic is that of a lone agent: it is done on a database in memory that has its tables.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from typing import Any, Final

from agent.core.results import Result
from agent.storage import incidents, journey_state
from agent.storage.run_end import RunEnd, Turn

Stands = dict[str, Any]
"""``row``: how the journey stands, as in ``journey_state``; ``base``: how it stood before the
``recent`` runs, which are in their order, each with the ``turn`` that it took, whether it is part
of an incident, and how many were taken in before it; ``by``: the replica that walked the newest;
``count``: runs ever taken in."""

_RECENT: Final = 16
"""Runs among which one that comes late finds its place; an older one says nothing any more."""


def a_model() -> sqlite3.Connection:
    """Return an empty database that has the tables of journeys' states and incidents."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(journey_state.SCHEMA)
    connection.executescript(incidents.SCHEMA)
    return connection


class Folding:
    """Takes runs in. Pure, but for the database that it reckons on."""

    def __init__(self) -> None:
        self._model = a_model()

    def take_in(
        self, before: Stands | None, run: RunEnd, by: str, known: journey_state.Row | None
    ) -> Stands:
        """Return the document once a run has been taken in; the same one where it was already.

        ``known`` is how the journey stands where there is no document yet.
        """
        document = before or {"row": known, "base": known, "recent": [], "by": by, "count": 0}
        recent: list[Stands] = document["recent"]
        if entry_of(document, run.run_id) is not None:
            return document
        newest = recent[-1]["run"]["order"] if recent else float("-inf")
        if len(recent) == _RECENT and run.order < recent[0]["run"]["order"]:
            return document
        late = run.order < newest
        row = document["row"]
        was_down = bool(row and row["told_down"])
        after, turn = self._after_late(document, run) if late else self._after(row, run)
        failed = run.result is Result.FAIL
        is_down = bool(after["told_down"])
        part = is_down and failed if late else was_down or is_down
        entry = {
            "run": asdict(run),
            "turn": None if turn is None else asdict(turn),
            "incident": part,
            "before": document["count"],
        }
        listed = sorted([*recent, entry], key=lambda one: float(one["run"]["order"]))
        base = document["base"]
        if len(listed) > _RECENT:
            base, _ = self._after(base, run_of(listed.pop(0)))
        return {
            "row": after,
            "base": base,
            "recent": listed,
            "by": document["by"] if late else by,
            "count": document["count"] + 1,
        }

    def _after_late(self, document: Stands, run: RunEnd) -> tuple[journey_state.Row, Turn | None]:
        """Return how a journey stands with a run in its place, and the turn that it took so."""
        runs = sorted(
            [*(run_of(one) for one in document["recent"]), run], key=lambda one: one.order
        )
        row, told = document["base"], document["row"]["told_down"]
        for one in runs:
            row, _ = self._after(row, one)
        is_down = bool(row["told_down"]) and bool(row["consecutive_failures"])
        if told or not is_down:
            return {**row, "told_down": told}, None
        # With it the fails in a row are enough, and nobody has said so.
        since = row["failing_since"]
        return row, Turn(
            down=True,
            since=since,
            seconds=max(0.0, row["verdict_at"] - since),
            fails=row["consecutive_failures"],
            error_type=row["first_error_type"] or "",
            step=row["first_step"] or "",
            error=row["first_error"] or "",
        )

    def _after(
        self, row: journey_state.Row | None, run: RunEnd
    ) -> tuple[journey_state.Row, Turn | None]:
        self._model.execute("DELETE FROM journey_state")
        if row is not None:
            journey_state.put_in(self._model, row)
        turn = journey_state.note(self._model, run)
        return dict(self._model.execute("SELECT * FROM journey_state").fetchone()), turn


def entry_of(document: Stands, run_id: str) -> Stands | None:
    """Return what is known of a recent run; None: it is not among them."""
    return next((one for one in document["recent"] if one["run"]["run_id"] == run_id), None)


def run_of(entry: Stands) -> RunEnd:
    """Return the run of an entry."""
    return RunEnd(**{**entry["run"], "result": Result(entry["run"]["result"])})


def turn_of(entry: Stands | None) -> Turn | None:
    """Return the turn that the journey took with the run of an entry."""
    told = entry and entry["turn"]
    return Turn(**told) if told else None
