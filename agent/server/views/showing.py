"""What each page is given beside the document that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from agent.core.crowding import crowded
from agent.core.slowness import TooSlow
from agent.core.standing import State, by_urgency, is_well, shown_run, state_of
from agent.server.views import strips
from agent.server.views.duration_line import line
from agent.server.views.headline import headline
from agent.server.views.moments import relative_to
from agent.server.views.vocabulary import COUNTED, JOURNEY, RESULT, VERDICT, Shown
from agent.server.views.waterfall import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.server.documents.attempt_evidence import AttemptDocument, RequestSpan
    from agent.server.documents.gates import GateDocument
    from agent.server.documents.incident_pages import IncidentDocument, IncidentsDocument
    from agent.server.documents.journey_page import JourneyDocument, OverviewJourney
    from agent.server.documents.overview import OverviewDocument
    from agent.server.documents.run_page import RunDocument

Values = dict[str, Any]

_EXPLAINED: Final = 6
"""Journeys in trouble that are told of at length; the others in a line each."""
_ROWS: Final = 30
"""Journeys that have a line each; where there are more, the others are a name and a bar."""
_STOPPED: Final = "net::ERR_BLOCKED_BY_CLIENT"
"""What stands in a line of the console about a beacon that the agent stopped."""
_RUNS: Final = 10
"""Runs that a journey's page lists; more are drawn."""
_FAILURES: Final = 8
"""Of those before that did not pass."""
_IN_TROUBLE: Final = frozenset({State.FAILS, State.NOT_MEASURED, State.SILENT})


@dataclass(frozen=True, slots=True)
class Group:
    """Journeys told of in the least room: of one state, or in trouble for one reason."""

    shown: Shown
    text: str
    journeys: list[OverviewJourney]


@dataclass(frozen=True, slots=True)
class Walk:
    """An attempt, and the time line that it is drawn on."""

    attempt: AttemptDocument
    scale: Scale

    def requests_of(self, step: int | None) -> list[RequestSpan]:
        """Return the requests that began in a step, or in none."""
        return [one for one in self.attempt["requests"] if one["step"] == step]


def overview(document: OverviewDocument) -> Values:
    """Return what ``overview.html`` is given."""
    journeys = sorted(document["journeys"], key=by_urgency)
    ill = [one for one in journeys if not is_well(one) and state_of(one) in _IN_TROUBLE]
    by_cause = _by_cause(ill)
    troubles = [same[0] for same in by_cause[:_EXPLAINED]]
    alike = [Group(*_alike(same), same[1:]) for same in by_cause[:_EXPLAINED] if len(same) > 1]
    told = {
        one["journey"] for one in (*troubles, *(one for group in alike for one in group.journeys))
    }
    others = [one for one in journeys if one["journey"] not in told]
    rows = others
    if len(others) > _ROWS:
        rows = [one for one in others if not is_well(one)][:_ROWS]
    listed = {one["journey"] for one in rows}
    return {
        **relative_to(document["at"]),
        "document": document,
        "headline": headline(document),
        "crowded": crowded(journeys, datetime.fromisoformat(document["at"])),
        "troubles": troubles,
        "rows": rows,
        "groups": [*alike, *_groups([one for one in others if one["journey"] not in listed])],
        "why": why,
    }


def _by_cause(journeys: Sequence[OverviewJourney]) -> list[list[OverviewJourney]]:
    """Put journeys together that are in trouble for the same reason; the order stays."""
    found: dict[tuple[State, str], list[OverviewJourney]] = {}
    for one in journeys:
        cause = why(one) or one["journey"]
        found.setdefault((state_of(one), cause), []).append(one)
    return list(found.values())


def _alike(same: Sequence[OverviewJourney]) -> tuple[Shown, str]:
    """Say of what others the first journey in trouble stands for."""
    shown, number = JOURNEY[state_of(same[0])], len(same) - 1
    return shown, f"{number} more, for the same reason as {same[0]['journey']}"


def _groups(journeys: Sequence[OverviewJourney]) -> list[Group]:
    groups = [(state, list(same)) for state, same in groupby(journeys, state_of)]
    return [Group(JOURNEY[state], f"{len(same)} {COUNTED[state]}", same) for state, same in groups]


def why(journey: OverviewJourney) -> str:
    """Say in a line why a journey stands as it does, where that wants saying."""
    state, run = state_of(journey), shown_run(journey)
    if run is None or state in {State.PASSES, State.WAITS, State.DISABLED}:
        return ""
    if state is State.SLOW:
        slow = [TooSlow(one["step"], one["limit"], one["seconds"]).shown for one in run["slow"]]
        return f"{journey['consecutive_slow']} passes in a row: {', '.join(slow)}"
    return (run["error"] or "").partition("\n")[0]


def journey(document: JourneyDocument) -> Values:
    """Return what ``journey.html`` is given."""
    shown = document["runs"][:_RUNS]
    return {
        **relative_to(document["at"]),
        "document": document,
        "hours": strips.of_stretches(document["hours"], 1),
        "days": strips.of_stretches(document["days"], 24),
        "shown_runs": shown,
        "known": any(one["bar"] != "unknown" for one in (*document["hours"], *document["days"])),
        "failures": [one for one in document["failures"] if one not in shown][:_FAILURES],
        "runs": strips.of_runs(document["runs"]),
        "line": line(document["days"]) or line(document["hours"]),
    }


def incidents(document: IncidentsDocument) -> Values:
    """Return what ``incidents.html`` is given."""
    return {**relative_to(document["at"]), "document": document, "one": None}


def incident(found: IncidentDocument) -> Values:
    """Return what ``incidents.html`` is given for one alone."""
    now = datetime.fromisoformat(found["began_at"]) + timedelta(seconds=found["seconds"])
    at = now.isoformat()
    alone = {"at": at, "location": found["location"], "incidents": [found], "more": False}
    return {**relative_to(at), "document": alone, "one": found}


def gate(document: GateDocument) -> Values:
    """Return what ``gate.html`` is given."""
    return {"document": document, "shown": VERDICT[document["verdict"]]}


def run(document: RunDocument) -> Values:
    """Return what ``run.html`` is given."""
    walks = document.get("walks", [])
    return {
        "document": document,
        "slow_shown": JOURNEY[State.SLOW],
        "shown": RESULT[_state_of_run(document)],
        "walks": [Walk(one, Scale.over(_spans(one))) for one in walks],
        "console": _console(walks[document.get("decided_by", -1)]) if walks else ([], []),
        "decided_by": document.get("decided_by", len(walks) - 1),
    }


def _console(walk: AttemptDocument) -> tuple[list[str], list[str]]:
    """Return what a page wrote, and what the browser wrote of what the agent stopped."""
    own = [line for line in walk["console"] if _STOPPED not in line]
    return own, [line for line in walk["console"] if _STOPPED in line]


def _state_of_run(document: RunDocument) -> str:
    """Return the word of ``RESULT`` for what a run came to, or how far it is."""
    return document["run"]["result"] if "run" in document else document["state"]


def _spans(walk: AttemptDocument) -> list[tuple[float, float | None]]:
    steps = [(one["start"], one["duration"]) for one in walk["steps"] if one["start"] is not None]
    requests = [(one["start"], one["duration"]) for one in walk["requests"]]
    return [(0.0, walk["duration"]), *steps, *requests]
