"""What is read before anything is started: configuration, journey files, and how they fit."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.core.errors import ConfigError, Problem
from agent.loading import snapshot
from agent.loading.beacon_choices import check_vendors
from agent.loading.discovery import discover as discover_in
from agent.loading.queue_endpoint import queue_endpoint
from agent.loading.warnings import warnings
from agent.loading.window_checks import doubtful, unknown_names, windows_of
from agent.pool.process import Spawn
from agent.protocol.messages import Configure
from agent.schedule.plan import interval_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.model import Definition, Journey
    from agent.core.suspension import Maintenance

VERSION = version("footfall")

_log = structlog.get_logger("footfall.loading")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A sound configuration and its journeys."""

    settings: Settings
    journeys: Sequence[Journey]
    maintenance: Sequence[Maintenance]
    broken: Sequence[Problem]
    """Files that held none."""
    warnings: Sequence[Problem]
    """What works but is probably not meant."""
    folder: Path
    """A copy of the journeys folder; whoever loaded it drops it."""
    bundle: str
    """A digest of the journeys: the same wherever they and what configures them are the same."""


async def load(
    path: Path | None, environ: Mapping[str, str], clock: Clock, scratch: Path | None = None
) -> Loaded:
    """Read everything; a broken journey file costs its own journeys, unless none are left.

    The copy of the journeys is made below ``scratch``, or in the system's temporary folder.

    Raises:
        ConfigError: with every fault of the configuration and of how the journeys fit it,
            those of broken files beside them.

    """
    settings, problems = config.load_lenient(path, environ)
    if settings is None:
        raise ConfigError(problems)
    problems = [*problems, *check_vendors(settings), *windows_of(settings)[1]]
    if not problems:
        queue_endpoint(settings)  # a file that is none is told before anything is started
    if not settings.journeys.is_dir():
        missing = Problem(str(settings.journeys), "there is no such folder (key `journeys`)")
        raise ConfigError([*problems, missing])
    folder, unread = await asyncio.to_thread(snapshot.take, settings.journeys, scratch)
    try:
        return await _fit(settings, problems, folder, unread, environ, clock)
    except BaseException:
        snapshot.drop(folder)
        raise


async def _fit(
    settings: Settings,
    problems: Sequence[Problem],
    folder: Path,
    unread: Sequence[Problem],
    environ: Mapping[str, str],
    clock: Clock,
) -> Loaded:
    definitions, found = await discover(settings, clock, folder)
    broken = [*unread, *found]
    journeys: list[Journey] = []
    # Told once, and also where every journey has a cadence of its own.
    misfits = config.schedule_problems(settings, interval_of)
    try:
        journeys = config.resolve(settings, definitions, interval_of, complete=not broken)
    except ConfigError as error:
        misfits += [one for one in error.problems if one not in misfits]
    if not broken:
        names = {name for one in definitions for name in (one.name, one.base) if name}
        misfits += unknown_names(settings, sorted(names))
    if problems or misfits or (broken and not journeys):
        raise ConfigError([*problems, *broken, *misfits])
    windows, _ = windows_of(settings)
    told = [
        *warnings(settings, definitions, environ),
        *doubtful(settings, windows, journeys, clock.wall()),
    ]
    bundle = await asyncio.to_thread(snapshot.digest, folder, journeys)
    return Loaded(settings, journeys, windows, broken, told, folder, bundle)


async def discover(
    settings: Settings, clock: Clock, folder: Path
) -> tuple[list[Definition], list[Problem]]:
    """Import the journey files in a worker of their own; needs neither browser nor state."""
    temporary = tempfile.TemporaryDirectory(prefix="footfall-", ignore_cleanup_errors=True)
    with temporary as scratch:
        configure = configuration(settings, folder, executable="")
        spawn = Spawn(str(uuid.uuid4()), configure, log_print, clock, Path(scratch))
        return await discover_in(folder, spawn)


def configuration(settings: Settings, folder: Path, executable: str) -> Configure:
    """Return what workers are told; those that only import journeys need no executable."""
    return Configure(
        journeys=str(settings.journeys),
        copy="" if folder == settings.journeys else str(folder),
        executable=executable,
        args=list(settings.browser.args),
        headless=settings.browser.headless,
        info_url=settings.identity.info_url,
        header=settings.identity.header,
        hold=settings.hold,
        version=VERSION,
    )


def log_print(line: str) -> None:
    """Log what a journey file printed outside of any run."""
    _log.info(line, action="journey.print")
