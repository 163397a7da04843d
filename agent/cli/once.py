"""``footfall once``: journeys, now, with the same engine as the daemon's."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from agent.cli.junit import write_junit
from agent.cli.progress import Progress
from agent.cli.repeated import summarise
from agent.cli.screen import require_screen
from agent.cli.shown import escape
from agent.cli.summary import exit_code, exit_code_by_share, show_repeated, totals
from agent.config.addresses import web_address
from agent.config.load import DEFAULT_FILE
from agent.core.errors import ConfigError, Problem
from agent.core.model import Trigger
from agent.pool.process_tree import become_subreaper
from agent.runs.adhoc import AdhocOptions, AdhocRuns, adhoc_settings, site_names
from agent.runs.document import document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.results import RunResult
    from agent.runs.request import RunRequest

_NO_TIMEOUT: Final = 86_400.0
"""Seconds of a walk that a person steps through: none that matter."""
_INSPECTED_MEMORY: Final = 4


@dataclass(frozen=True, slots=True)
class OnceOptions:
    """What was asked for on the command line."""

    names: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    headed: bool = False
    junit: Path | None = None
    json: bool = False
    endpoint: str = ""
    confirm: bool | None = None
    """Whether a failure is confirmed; None: only where nobody sits at a terminal, for whom a
    mistyped selector would cost twice the time."""
    repeat: int = 1
    at_least: float | None = None
    """Percent of each journey's measured walks that have to pass; None: all."""
    debug: bool = False
    """Whether a person steps through each walk in Playwright's inspector."""

    def confirms(self) -> bool:
        """Whether a failure is confirmed, as the journey says."""
        if self.debug:
            return False
        if self.confirm is None:
            return self.repeat == 1 and not sys.stdout.isatty()
        return self.confirm


async def once(
    path: Path | None, environ: Mapping[str, str], options: OnceOptions, clock: Clock
) -> int:
    """Run the journeys asked for; return the exit code.

    Raises:
        ConfigError: something that was asked for can't be had; nothing was walked then.

    """
    check_options(options, environ)
    become_subreaper()
    async with open_runs(path, environ, options, clock) as session:
        return await walk_all(session, options)


def open_runs(
    path: Path | None, environ: Mapping[str, str], options: OnceOptions, clock: Clock
) -> AdhocRuns:
    """Return what walks the journeys, to be entered.

    Raises:
        ConfigError: the configuration or a site is wrong.

    """
    settings = _settings(path, environ, options)
    sites = site_names(options.sites)
    wanted = AdhocOptions(Trigger.ONCE, sites, options.endpoint, inspected=options.debug)
    return AdhocRuns(settings, environ, clock, wanted)


async def walk_all(session: AdhocRuns, options: OnceOptions) -> int:
    """Walk the journeys asked for, in a session that is open; return the exit code.

    Raises:
        ConfigError: a journey that was asked for is not there, or doesn't fit the configuration.

    """
    console = Console(stderr=options.json, highlight=False, soft_wrap=True)
    journeys, problems = await session.journeys(options.names)
    for problem in problems:
        console.print(f"[red]error:[/red] {escape(str(problem))}")
    runs: list[RunResult] = []
    for journey in journeys:
        runs += await _walk_each(session, journey, console, options)
    if not runs and not problems:
        console.print(f"No journeys in {session.folder}.")
    if len(runs) > 1:
        console.print(totals(runs))
    if options.junit:
        write_junit(options.junit, runs, session.artifacts)
    if options.at_least is not None:
        return exit_code_by_share(runs, problems, options.at_least)
    return exit_code(runs, problems)


async def _walk_each(
    session: AdhocRuns, journey: Journey, console: Console, options: OnceOptions
) -> list[RunResult]:
    """Walk a journey as often as asked for, and show how it behaved."""
    if not options.confirms():
        journey = replace(journey, confirm=False)
    if options.debug:
        journey = replace(journey, timeout=_NO_TIMEOUT)
    runs = []
    for _ in range(options.repeat):
        run = await walk(session, journey, console, again=options.confirms())
        runs.append(run)
        if options.json:
            print(json.dumps(document(run), ensure_ascii=False), flush=True)  # noqa: T201 - the command's own output
    if len(runs) > 1:
        show_repeated(console, journey.name, summarise(runs))
    return runs


def check_options(options: OnceOptions, environ: Mapping[str, str]) -> None:
    """Refuse before the walk what would be in vain after it.

    Raises:
        ConfigError: something is.

    """
    problems = []
    if options.debug:
        require_screen("--debug", environ)
    elif options.headed:
        require_screen("--headed", environ)
    if options.debug and (options.repeat > 1 or options.confirm):
        other = "--confirm" if options.confirm else "--repeat"
        problems.append(Problem("--debug", f"walks once, under your hands: leave out {other}"))
    if options.endpoint:
        try:
            web_address(options.endpoint)
        except ValueError as error:
            problems.append(Problem("--endpoint", str(error)))
    if options.junit:
        try:
            options.junit.parent.mkdir(parents=True, exist_ok=True)
            with options.junit.open("a"):
                pass
        except OSError as error:
            why = f"can't be written: {error.strerror}"
            problems.append(Problem(f"--junit {options.junit}", why))
    if options.at_least is not None and not 0 <= options.at_least <= 100:
        problems.append(Problem("--at-least", "a percentage is from 0 to 100"))
    if problems:
        raise ConfigError(problems)


def _settings(path: Path | None, environ: Mapping[str, str], options: OnceOptions) -> Settings:
    settings = load_settings(path, environ, options.sites)
    if not (options.headed or options.debug):
        return settings
    changed: dict[str, Any] = {"browser": settings.browser.model_copy(update={"headless": False})}
    if options.debug:
        # The inspector is a browser besides; and what is stepped through needs no recording.
        memory = _INSPECTED_MEMORY * settings.workers.max_memory
        changed["workers"] = settings.workers.model_copy(update={"max_memory": memory})
        changed["artifacts"] = settings.artifacts.model_copy(update={"trace": "none"})
    return settings.model_copy(update=changed)


def load_settings(path: Path | None, environ: Mapping[str, str], sites: Sequence[str]) -> Settings:
    """Load the configuration, with a hint where there is none.

    Raises:
        ConfigError: the configuration or a site is wrong.

    """
    try:
        return adhoc_settings(path, environ, sites)
    except ConfigError as error:
        missing, *more = error.problems
        if path is not None or more or missing.where != str(DEFAULT_FILE):
            raise
        hint = f"{missing.message}, or point a site at an address: --site NAME=URL"
        raise ConfigError([replace(missing, message=hint)]) from None


async def walk(
    session: AdhocRuns, journey: Journey, console: Console, *, again: bool = True
) -> RunResult:
    """Run a journey and show its progress; without ``again`` it is walked once in any case."""
    followers = []

    def follow(request: RunRequest) -> Progress:
        progress = Progress(console, request, session.artifacts)
        followers.append(progress)
        progress.begin()
        return progress

    try:
        run = await session.run(journey, follow, again=again)
    finally:
        for progress in followers:
            progress.end()
    for progress in followers:
        progress.finished(run)
    return run
