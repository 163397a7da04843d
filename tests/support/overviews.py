"""The documents of the agent's pages, in which every text that is not given is a canary."""

from __future__ import annotations

import builtins
import importlib
import pkgutil
import types
import typing
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

from agent.server import documents
from agent.server.documents.briefs import BriefDocument
from agent.server.documents.incident_pages import (
    IncidentDocument,
    IncidentsDocument,
    OutageDocument,
)
from agent.server.documents.journey_page import OverviewJourney
from agent.server.documents.overview import OverviewDocument
from agent.server.documents.shares import UptimeDocument
from agent.server.documents.what_suspends import SuspensionDocument, WindowDocument

KINDS: dict[str, Any] = {
    name: kind
    for module in pkgutil.iter_modules(documents.__path__, f"{documents.__name__}.")
    for name, kind in vars(importlib.import_module(module.name)).items()
}
"""Every document by its name, and what is named in them."""
CANARY = "canary-0815"
"""Stands in each private field; the public must never see it."""
NOW = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
NUMBER = 81508150815
"""The canary among numbers."""


def at(**ago: float) -> str:
    """The moment so long before ``NOW``, as the documents write it."""
    return (NOW - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def made(kind: Any, **given: Any) -> Any:
    """A document of a kind, with what is given, and else a canary wherever there may be one."""
    hints = get_type_hints(kind, localns={**KINDS, "ChangeDocument": dict[str, str]})
    return {name: _canary(hint) for name, hint in hints.items()} | given


def a_journey(name: str, title: str = "", **given: Any) -> Any:
    """A journey of the overview that passes, unless more is given."""
    usual = {
        "journey": f"{name}_{CANARY}",
        "public": title,
        "enabled": True,
        "up": True,
        "consecutive_slow": 0,
        "suspended": None,
        "skipped": [],
        "last_run": made(BriefDocument, result="pass", started_at=at(minutes=1)),
        "uptime": [made(UptimeDocument, days=90, uptime=99.951, measured=98.2)],
        "bars": {"hours": [], "days": ["pass"] * 90},
    }
    return made(OverviewJourney, **{**usual, **given})


def held(cause: str) -> Any:
    """What suspends a journey now."""
    return made(SuspensionDocument, cause=cause, mode="stop", over=False)


def an_outage(name: str, began: str, ended: str | None = None) -> Any:
    return made(
        OutageDocument,
        journey=f"{name}_{CANARY}",
        began_at=began,
        opened_at=began,
        ended_at=ended,
        ended_by="pass" if ended else None,
    )


def an_incident(number: int, *outages: Any) -> Any:
    return made(
        IncidentDocument,
        id=number,
        open=any(one["ended_at"] is None for one in outages),
        began_at=min(one["began_at"] for one in outages),
        outages=list(outages),
    )


def a_window(*names: str, since: str, until: str, holds: bool = False) -> Any:
    return made(
        WindowDocument,
        since=since,
        until=until,
        holds=holds,
        covers=[f"{name}_{CANARY}" for name in names],
    )


def an_overview(*journeys: Any, maintenance: tuple[Any, ...] = ()) -> Any:
    return made(
        OverviewDocument,
        at=at(),
        journeys=list(journeys),
        bars={"hours": at(days=1), "days": "2026-08-30T00:00:00Z"},
        maintenance=list(maintenance),
    )


def incidents(*found: Any, more: bool = False) -> Any:
    return made(IncidentsDocument, at=at(), incidents=list(found), more=more)


class Told:
    """Answers with these documents; of incidents one page after the other."""

    def __init__(self, overview: Any, *pages: Any) -> None:
        self.overview, self._pages = overview, pages or (incidents(),)
        self.before: list[int | None] = []
        """What was asked for older incidents."""

    async def journeys(self, days: int) -> Any:
        """Return the overview."""
        return self.overview

    async def incidents(self, limit: int, before: int | None = None) -> Any:
        """Return the next page."""
        self.before.append(before)
        return self._pages[len(self.before) - 1]


def _canary(hint: Any) -> Any:
    inside = get_args(hint)
    if is_typeddict(hint):
        return made(hint)
    match get_origin(hint):
        case typing.Literal:
            return inside[0]
        case typing.NotRequired | typing.Union | types.UnionType:
            return _canary(inside[0])
        case builtins.list:
            return [_canary(inside[0])]
        case builtins.dict:
            return {_canary(inside[0]): _canary(inside[1])}
    return {int: NUMBER, float: float(NUMBER), bool: True}.get(hint, CANARY)
