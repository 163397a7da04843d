"""What ``footfall check`` has to say of journeys that work: what is likely to be missed later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.errors import ConfigError, Problem
from agent.core.units import format_duration
from agent.loading.journey_reading import expects_nothing, secrets_asked
from agent.storage.folder import StateFolder
from agent.storage.last_durations import last_durations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.config import Settings
    from agent.core.model import Journey

_NAMED = 5
"""Journeys that one line names."""
_PASSES = 20
"""The last passes that are looked at, and the fewest that say anything."""
_FEWEST = 5
_NEAR = 0.8
"""The share of its timeout from which on a pass comes near it."""


def notes(settings: Settings, journeys: Sequence[Journey]) -> Iterator[str]:
    """Yield a line for each thing that journeys lack."""
    without = [one for one in journeys if not one.runbook]
    if without:
        yield (
            f"no runbook: {_named(without)}. Who is paged looks there first: "
            '@journey(runbook="https://…")'
        )
    seen_only = [one for one in journeys if expects_nothing(settings.journeys, one)]
    if seen_only:
        yield (
            f"no assertion: {_named(seen_only)}. A page that opens and shows the wrong thing "
            "passes: say what should be there, await expect(…)"
        )


def near_timeouts(settings: Settings, journeys: Sequence[Journey]) -> Iterator[Problem]:
    """Yield a warning for each journey whose last passes nearly ran out of time."""
    names = [one.name for one in journeys]
    kept = last_durations(StateFolder(settings.state).database, names, _PASSES)
    for journey in journeys:
        seconds = kept.get(journey.name, [])
        near = [one for one in seconds if one > journey.timeout * _NEAR]
        if len(seconds) >= _FEWEST and near:
            took = format_duration(round(max(near), 1))
            yield Problem(
                f"{settings.journeys.name}/{journey.file}:{journey.line}",
                f"journey {journey.name}: of its last {len(seconds)} passes {len(near)} took more "
                f"than {_NEAR:.0%} of the timeout of {format_duration(journey.timeout)}, up to "
                f"{took}: make it longer, or the walk shorter",
            )


def secrets_missing(settings: Settings, read: Callable[[str], str]) -> tuple[list[str], int]:
    """Look for each secret that journeys ask for; no value is kept or told.

    Returns:
        A line for each secret, and for each place that names none; how many aren't there.

    """
    uses = secrets_asked(settings.journeys)
    places: dict[str, list[str]] = {}
    for use in uses:
        places.setdefault(use.name, []).append(use.place)
    lines, missing = [], 0
    unnamed = places.pop("", [])
    for name in sorted(places):
        asked = ", ".join(places[name])
        try:
            read(name)
        except ConfigError as error:
            missing += 1
            lines.append(f"missing  {name}  {asked}: {error.problems[0].message}")
        else:
            lines.append(f"there    {name}  {asked}")
    lines += [
        f"unknown  {place}: its name is not written there, so it can't be looked for"
        for place in unnamed
    ]
    return lines, missing


def _named(journeys: Sequence[Journey]) -> str:
    names = list(dict.fromkeys(one.base or one.name for one in journeys))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
