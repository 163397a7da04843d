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
from agent.beacons.policy import stopped_instead, unknown
from agent.core.beacon_report import BeaconPolicy
from agent.core.errors import ConfigError, Problem
from agent.loading import snapshot
from agent.loading.discovery import discover as discover_in
from agent.pool.process import Spawn
from agent.protocol.messages import Configure
from agent.schedule.plan import interval_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.config import Settings
    from agent.core.beacon_report import BeaconChoice
    from agent.core.clock import Clock
    from agent.core.model import Definition, Journey

VERSION = version("footfall")

_log = structlog.get_logger("footfall.intake")


@dataclass(frozen=True, slots=True)
class Intake:
    """A sound configuration and its journeys; ``broken`` are files that held none.

    ``folder`` is a copy of the journeys folder, whoever took it in drops it.
    """

    settings: Settings
    journeys: Sequence[Journey]
    broken: Sequence[Problem]
    folder: Path


async def take_in(
    path: Path | None, environ: Mapping[str, str], clock: Clock, scratch: Path | None = None
) -> Intake:
    """Read everything; a broken journey file costs its own journeys, unless none are left.

    The copy of the journeys is made below ``scratch``, or in the system's temporary folder.

    Raises:
        ConfigError: with every fault of the configuration and of how the journeys fit it,
            those of broken files beside them.

    """
    settings, problems = config.load_lenient(path, environ)
    if settings is None:
        raise ConfigError(problems)
    problems = [*problems, *check_vendors(settings)]
    if not settings.journeys.is_dir():
        missing = Problem(str(settings.journeys), "there is no such folder (key `journeys`)")
        raise ConfigError([*problems, missing])
    folder, unread = await asyncio.to_thread(snapshot.take, settings.journeys, scratch)
    try:
        return await _fit(settings, problems, folder, unread, clock)
    except BaseException:
        snapshot.drop(folder)
        raise


async def _fit(
    settings: Settings,
    problems: Sequence[Problem],
    folder: Path,
    unread: Sequence[Problem],
    clock: Clock,
) -> Intake:
    definitions, found = await discover(settings, clock, folder)
    broken = [*unread, *found]
    journeys: list[Journey] = []
    misfits: Sequence[Problem] = ()
    try:
        journeys = config.resolve(settings, definitions, interval_of, complete=not broken)
    except ConfigError as error:
        misfits = error.problems
    if problems or misfits or (broken and not journeys):
        raise ConfigError([*problems, *broken, *misfits])
    return Intake(settings, journeys, broken, folder)


def check_vendors(settings: Settings) -> list[Problem]:
    """Return a problem for each vendor of the beacon policies that nobody knows."""
    return [
        Problem(settings.where(*path, name), message)
        for path, policy in _policies(settings)
        for name, message in unknown(policy).items()
    ]


def markless(settings: Settings) -> list[Problem]:
    """Return each vendor that is to be marked but has no flag, for which it is blocked."""
    return [
        Problem(settings.where(*path), f"{name} has no flag to mark its beacons by: it is blocked")
        for path, policy in _policies(settings)
        for name in stopped_instead(policy)
    ]


def _policies(settings: Settings) -> list[tuple[tuple[str, ...], BeaconPolicy]]:
    """Return what single vendors are told, with the path of keys where it stands."""
    sections: dict[tuple[str, ...], dict[str, BeaconChoice]] = {
        ("beacons", "vendors"): settings.beacons.vendors,
        **{
            ("sites", name, "beacons", "vendors"): site.beacons.vendors
            for name, site in settings.sites.items()
        },
    }
    return [(path, BeaconPolicy(vendors=vendors)) for path, vendors in sections.items() if vendors]


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
        version=VERSION,
    )


def log_print(line: str) -> None:
    """Log what a journey file printed outside of any run."""
    _log.info(line, action="journey.print")
