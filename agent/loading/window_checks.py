"""The maintenance windows of the configuration: understood, and held against the journeys."""

from __future__ import annotations

from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.core.errors import Problem
from agent.core.suspension import Maintenance
from agent.schedule.local_time import LocalTime
from agent.schedule.maintenance import OWNER, Window, selects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from agent.config import Settings
    from agent.core.model import Journey

_GLOB = frozenset("*?[")
_MANY = 100
"""Turns of a window that are looked at."""


def windows_of(settings: Settings) -> tuple[list[Maintenance], list[Problem]]:
    """Return the windows, and what is wrong with the cron lines of others."""
    windows: list[Maintenance] = []
    problems: list[Problem] = []
    for number, section in enumerate(settings.maintenance):
        window = Maintenance(
            journeys=section.journeys,
            cron=section.cron,
            starts=_instant(section.starts, section.timezone) if section.starts else None,
            timezone=section.timezone,
            lasts=section.lasts,
            mode=section.mode,
            reason=section.reason,
        )
        try:
            Window(window)
        except ValueError as error:
            problems.append(Problem(settings.where("maintenance", number, "cron"), str(error)))
        windows.append(window)
    return windows, problems


def unknown_names(settings: Settings, journeys: Sequence[str]) -> list[Problem]:
    """Return a problem for each plain name in a window that no journey has."""
    listed = f"known journeys: {', '.join(sorted(journeys))}" if journeys else "there are none"
    return [
        Problem(
            settings.where("maintenance", number, "journeys"),
            f"no journey is called {name!r}; {listed}. Correct or remove it",
        )
        for number, section in enumerate(settings.maintenance)
        for name in section.journeys
        if not name.startswith(OWNER) and not _GLOB & set(name) and name not in journeys
    ]


def doubtful(
    settings: Settings, windows: Sequence[Maintenance], journeys: Sequence[Journey], now: float
) -> Iterator[Problem]:
    """Yield what is probably not meant: a window that suspends nothing, or never ends."""
    for number, told in enumerate(windows):
        for selector in told.journeys:
            if not any(selects(selector, journey) for journey in journeys):
                where = settings.where("maintenance", number, "journeys")
                yield Problem(where, f'"{selector}" fits no journey, so it suspends none')
        window = Window(told)
        if told.cron is None and not window.upcoming(now, 1):
            where = settings.where("maintenance", number, "starts")
            yield Problem(where, "the window is over: remove it")
        turns = window.upcoming(now, _MANY) if told.cron is not None else ()
        if turns and all(a.end >= b.begin for a, b in pairwise(turns)):
            where = settings.where("maintenance", number, "lasts")
            yield Problem(
                where,
                "the window begins again before it has ended, so it goes on for ever: shorten it",
            )


def _instant(starts: datetime, timezone: str) -> float:
    """Return the Unix time of a date and time; where clocks jump over it, that of the jump."""
    if starts.tzinfo is not None:
        return starts.timestamp()
    return LocalTime(timezone).instant(starts.replace(tzinfo=UTC)) / 1000
