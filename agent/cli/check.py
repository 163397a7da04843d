"""``footfall check``: everything that is wrong, or what would run when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from agent import config
from agent.cli.advice import near_timeouts, notes, secrets_missing
from agent.cli.rows import print_rows
from agent.cli.window_lines import window_lines
from agent.config.sections import TelemetrySection
from agent.core.errors import ConfigError
from agent.core.printable import printable
from agent.core.units import format_duration
from agent.loading import snapshot
from agent.loading.load import load
from agent.loading.queue_endpoint import queue_endpoint
from agent.rules.subject import PAGE, TICKET
from agent.schedule.plan import Plan
from agent.telemetry.delivery.export import export_of
from agent.telemetry.delivery.otel_variables import ignored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.errors import Problem
    from agent.core.model import Cadence, Journey


_HEADINGS = ("journey", "site", "every", "timeout", "owner", "next (UTC)", "file")
_WIDE = 200
"""Columns where nobody looks through a terminal: a folded line can't be searched for."""


async def check(path: Path | None, environ: Mapping[str, str], clock: Clock) -> int:
    """Check configuration and journeys; return the exit code."""
    problems = _export_problems(path, environ)
    try:
        loaded = await load(path, environ, clock)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    snapshot.drop(loaded.folder)
    problems += loaded.broken
    if problems:
        raise ConfigError(problems)
    settings, journeys = loaded.settings, loaded.journeys
    out = Console(highlight=False)
    if not out.is_terminal:
        out.width = _WIDE
    if not journeys:
        out.print(f"No journeys in {settings.journeys}. `footfall new NAME --url URL` writes one.")
        return 2
    warnings = [
        *_unrouted(settings, journeys),
        *near_timeouts(settings, journeys),
        *loaded.warnings,
        *ignored(environ),
    ]
    word = "Nothing is wrong, but see the warnings below" if warnings else "All is well"
    _print(out, settings, journeys, clock.wall(), word)
    for line in window_lines(loaded.maintenance, journeys, clock.wall()):
        out.print(line, markup=False, soft_wrap=True)
    if shared := _shared(settings):
        out.print(shared, markup=False, soft_wrap=True)
    if way := _way_out(settings):
        out.print(way, markup=False, soft_wrap=True)
    for note in notes(settings, journeys):
        out.print(f"note: {note}", markup=False, soft_wrap=True)
    for warning in warnings:
        out.print(f"warning: {warning}", markup=False, soft_wrap=True)
    return 0


def check_secrets(path: Path | None, environ: Mapping[str, str]) -> int:
    """Print which secrets journeys ask for, by name and place; return the exit code.

    Raises:
        ConfigError: the configuration is wrong.

    """
    settings = config.load(path, environ)
    lines, missing = secrets_missing(settings, config.secret_reader(settings, environ))
    out = Console(highlight=False)
    for line in lines:
        out.print(printable(line), markup=False, soft_wrap=True)
    if not lines:
        out.print(f"No journey in {settings.journeys} asks for a secret.", soft_wrap=True)
    return 2 if missing else 0


def _export_problems(path: Path | None, environ: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with where telemetry goes, whatever else of the configuration is."""
    settings, _ = config.load_lenient(path, environ)
    try:
        export_of(settings.telemetry if settings else TelemetrySection(), environ)
    except ConfigError as error:
        return list(error.problems)
    return []


def _unrouted(settings: Settings, journeys: Sequence[Journey]) -> Iterator[str]:
    """Tell of severities that the shipped routes of alerts don't know: they may be slips."""
    for journey in journeys:
        if journey.severity not in {"", PAGE, TICKET}:
            yield (
                f"{settings.journeys.name}/{journey.file}:{journey.line}: journey {journey.name} "
                f'has the severity "{journey.severity}"; of its alerts nobody is paged unless '
                f'your Alertmanager has a route for it. Write "{PAGE}" or "{TICKET}", or add one.'
            )


def _shared(settings: Settings) -> str:
    """Say which server the replicas share, and how it is asked; "" where there is none."""
    endpoint = queue_endpoint(settings)
    if endpoint is None:
        return ""
    lost = "walked again" if settings.queue.rerun else "not walked again"
    return (
        f"Slots of {settings.location} are shared at {', '.join(endpoint.addresses)}, with "
        f"{endpoint.means}; one whose replica dies is {lost}."
    )


def _way_out(settings: Settings) -> str:
    """Say which proxies pages and ``run.api`` go through; "" where there are none."""
    proxies = settings.proxies
    used = {"http": proxies.http, "https": proxies.https}
    ways = [f"{proxy.server} ({scheme})" for scheme, proxy in used.items() if proxy is not None]
    if not ways:
        return ""
    direct = ", ".join([*proxies.bypass, "loopback"])
    return f"Pages and run.api go through the proxy {' and '.join(ways)}; to {direct} directly."


def _print(
    out: Console, settings: Settings, journeys: Sequence[Journey], now: float, word: str
) -> None:
    noun = "journey" if len(journeys) == 1 else "journeys"
    rows = []
    for journey in journeys:
        upcoming = Plan(journey.cadence, (journey.name, settings.location)).next(now)
        cells = (
            journey.name,
            journey.site.url,
            _every(journey.cadence),
            format_duration(journey.timeout),
            journey.owner,
            _time(upcoming) if journey.enabled else "disabled",
            f"{settings.journeys.name}/{journey.file}:{journey.line}",
        )
        rows.append([Text(printable(cell)) for cell in cells])
    title = f"{word}: {len(journeys)} {noun} at {settings.location}"
    print_rows(out, title, _HEADINGS, rows)


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _every(cadence: Cadence) -> str:
    if cadence.cron is not None:
        return f"{cadence.cron} ({cadence.timezone})"
    return format_duration(cadence.seconds or 0.0)
