"""The maintenance windows as ``footfall check`` prints them: what they hold, and when next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent.core.units import format_duration
from agent.schedule.maintenance import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.model import Journey
    from agent.core.suspension import Maintenance
    from agent.schedule.maintenance import Turn

_SHOWN = 3
"""Turns of each window."""


def window_lines(
    windows: Sequence[Maintenance], journeys: Sequence[Journey], now: float
) -> Iterator[str]:
    """Yield each window, and under it its next turns by its own clocks and in UTC."""
    for told in windows:
        window = Window(told)
        held = [journey.name for journey in journeys if window.covers(journey)]
        begins = told.cron or "once"
        reason = f": {told.reason}" if told.reason else ""
        yield ""
        yield (
            f"maintenance ({told.mode}), {begins} ({told.timezone}), "
            f"lasts {format_duration(told.lasts)}{reason}"
        )
        yield f"  journeys  {', '.join(held) or 'none'}"
        turns = window.upcoming(now, _SHOWN)
        for number, turn in enumerate(turns):
            holds = " (now)" if turn.begin <= now else ""
            label = "next" if number == 0 else ""
            yield f"  {label:<8}  {_turn(turn, told.timezone)}{holds}"
        if not turns:
            yield "  next      never again"


def _turn(turn: Turn, timezone: str) -> str:
    local = ZoneInfo(timezone)
    begin, end = (datetime.fromtimestamp(at, local) for at in (turn.begin, turn.end))
    if timezone == "UTC":
        return f"{begin:%a %Y-%m-%d %H:%M:%S} to {_end(begin, end)} UTC"
    first, last = (datetime.fromtimestamp(at, UTC) for at in (turn.begin, turn.end))
    offset = "" if begin.tzname() == end.tzname() else f" {begin.tzname()}"
    return (
        f"{begin:%a %Y-%m-%d %H:%M:%S}{offset} to {_end(begin, end)} {end.tzname()}"
        f" = {first:%Y-%m-%d %H:%M:%S} to {_end(first, last)} UTC"
    )


def _end(begin: datetime, end: datetime) -> str:
    """Return when something ends, with its day where that is another one."""
    same = begin.date() == end.date()
    return f"{end:%H:%M:%S}" if same else f"{end:%Y-%m-%d %H:%M:%S}"
