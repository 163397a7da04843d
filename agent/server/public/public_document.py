"""What the public is shown, made of the documents that the agent's own pages show.

Field by field: nothing gets out because it stood beside something else. A title, its id, a state,
days, shares and times are all there is; no name, owner, address, error, picture, reason or note.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypedDict, cast

from agent.core.standing import State, state_of
from agent.core.titles import id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.server.documents.incident_pages import IncidentDocument, IncidentsDocument
    from agent.server.documents.journey_page import OverviewJourney
    from agent.server.documents.overview import OverviewDocument
    from agent.server.documents.shares import Bar

PublicState = Literal["down", "unknown", "slow", "maintenance", "paused", "up"]
"""How a journey stands, or all of them, the worst first."""
Day = Literal["pass", "flaky", "fail", "suspended", "unknown"]

_STATES: Final[Mapping[State, PublicState]] = {
    State.FAILS: "down",
    State.NOT_MEASURED: "unknown",
    State.SILENT: "unknown",
    State.WAITS: "unknown",
    State.SLOW: "slow",
    State.MAINTENANCE: "maintenance",
    State.PAUSED: "paused",
    State.FLAKY: "up",
    State.PASSES: "up",
}
"""Of journeys that are disabled nothing is shown."""
_WORST_FIRST: Final[tuple[PublicState, ...]] = (
    "down",
    "unknown",
    "slow",
    "maintenance",
    "paused",
    "up",
)
_DAYS: Final = 90
_MOST_INCIDENTS: Final = 25
_AT_A_TIME: Final = 50
"""Incidents that are asked for at a time."""
_MOST_LOOKS: Final = 10
"""How many times older incidents are asked for, to find those of public journeys among all."""
_AHEAD: Final = timedelta(days=14)
"""How long before it begins a window is told."""


class PublicDay(TypedDict):
    """One day in UTC; ``state`` is the worst of it."""

    date: str
    state: Day


class PublicJourney(TypedDict):
    """A journey; ``uptime`` and ``measured`` are per cent, over 90 days."""

    id: str
    title: str
    state: PublicState
    uptime: float | None
    measured: float | None
    days: list[PublicDay]
    """The newest last."""


class PublicIncident(TypedDict):
    """The time in which some of the journeys, given by their ids, were down."""

    id: str
    journeys: list[str]
    began_at: str
    ended_at: str | None
    """None: it goes on."""
    seconds: float
    """From begin to end, or until now."""


class PublicMaintenance(TypedDict):
    """A time in which journeys are not watched, or what is seen then counts for less."""

    journeys: list[str]
    since: str
    until: str
    holds: bool
    """False: it is to come."""


class PublicDocument(TypedDict):
    """All of the page; times are RFC 3339 in UTC."""

    at: str
    state: PublicState
    journeys: list[PublicJourney]
    """The worst first."""
    incidents: list[PublicIncident]
    """Those that go on first, then the newest."""
    maintenance: list[PublicMaintenance]
    """The soonest first."""


class Asked(Protocol):
    """Whom the documents are asked of: the agent itself, or one that runs elsewhere."""

    async def journeys(self, days: int) -> OverviewDocument:
        """Return how all journeys stand, with bars of so many days."""
        ...

    async def incidents(self, limit: int, before: int | None = None) -> IncidentsDocument:
        """Return incidents, the open ones first; of numbers below ``before``, if that is given."""
        ...


async def public_document(asked: Asked) -> PublicDocument:
    """Return what the public is shown of how all journeys stand.

    Raises:
        FootfallError: whoever is asked can't answer now.

    """
    overview = await asked.journeys(_DAYS)
    shown = {
        one["journey"]: one
        for one in overview["journeys"]
        if one["public"] and _state(one) is not None
    }
    first = datetime.fromisoformat(overview["bars"]["days"]).date()
    journeys = [
        PublicJourney(
            id=id_of(one["public"]),
            title=one["public"],
            state=state,
            **_share(one),
            days=[
                {"date": (first + timedelta(days=day)).isoformat(), "state": _day(bar)}
                for day, bar in enumerate(one["bars"]["days"])
            ],
        )
        for one in shown.values()
        if (state := _state(one)) is not None
    ]
    journeys.sort(key=lambda one: (_WORST_FIRST.index(one["state"]), one["title"].casefold()))
    ids = {name: id_of(one["public"]) for name, one in shown.items()}
    return {
        "at": overview["at"],
        "state": journeys[0]["state"] if journeys else "unknown",
        "journeys": journeys,
        "incidents": await _incidents(ids, asked, datetime.fromisoformat(overview["at"])),
        "maintenance": list(_maintenance(ids, overview)),
    }


def _state(journey: OverviewJourney) -> PublicState | None:
    return _STATES.get(state_of(cast("dict[str, Any]", journey)))


class _Share(TypedDict):
    uptime: float | None
    measured: float | None


def _share(journey: OverviewJourney) -> _Share:
    for one in journey["uptime"]:
        if one["days"] == _DAYS:
            return {"uptime": one["uptime"], "measured": one["measured"]}
    return {"uptime": None, "measured": None}


def _day(bar: Bar) -> Day:
    # That the agent could not measure is nobody's business but its owner's: nothing is known.
    return "unknown" if bar == "not_measured" else bar


async def _incidents(ids: Mapping[str, str], asked: Asked, now: datetime) -> list[PublicIncident]:
    found: list[PublicIncident] = []
    before = None
    for _ in range(_MOST_LOOKS if ids else 0):
        answer = await asked.incidents(_AT_A_TIME, before)
        found += [told for one in answer["incidents"] if (told := _incident(one, ids, now))]
        numbers = [one["id"] for one in answer["incidents"]]
        old = all(_is_old(one, now) for one in answer["incidents"])
        if not answer["more"] or len(found) >= _MOST_INCIDENTS or old:
            break
        before = min(numbers)
    known = {one["id"]: one for one in found}
    newest = sorted(known.values(), key=lambda one: one["began_at"], reverse=True)
    return sorted(newest, key=lambda one: one["ended_at"] is not None)[:_MOST_INCIDENTS]


def _is_old(incident: IncidentDocument, now: datetime) -> bool:
    began = datetime.fromisoformat(incident["began_at"])
    return not incident["open"] and began < now - timedelta(days=_DAYS)


def _incident(
    incident: IncidentDocument, ids: Mapping[str, str], now: datetime
) -> PublicIncident | None:
    """Return what one is to the public: the outages of its own journeys alone."""
    outages = [one for one in incident["outages"] if one["journey"] in ids]
    if not outages:
        return None
    began = min(one["began_at"] for one in outages)
    ends = [one["ended_at"] for one in outages]
    ended = None if None in ends else max(end for end in ends if end is not None)
    until = now if ended is None else datetime.fromisoformat(ended)
    seconds = (until - datetime.fromisoformat(began)).total_seconds()
    # Those that join later, with an earlier beginning even, leave its id as it is.
    first = outages[0]
    return {
        "id": f"{ids[first['journey']]}-{datetime.fromisoformat(first['began_at']):%Y%m%dT%H%M%S}",
        "journeys": sorted({ids[one["journey"]] for one in outages}),
        "began_at": began,
        "ended_at": ended,
        "seconds": max(0.0, round(seconds, 3)),
    }


def _maintenance(ids: Mapping[str, str], overview: OverviewDocument) -> Iterator[PublicMaintenance]:
    last = datetime.fromisoformat(overview["at"]) + _AHEAD
    for one in sorted(overview["maintenance"], key=lambda window: window["since"]):
        journeys = sorted(ids[name] for name in one["covers"] if name in ids)
        if journeys and datetime.fromisoformat(one["since"]) <= last:
            yield {
                "journeys": journeys,
                "since": one["since"],
                "until": one["until"],
                "holds": one["holds"],
            }
