"""What is read before anything is started: configuration, journey files, and how they fit."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.errors import ConfigError
from agent.schedule.plan import interval_of
from agent.workers.discovery import discover as discover_in
from agent.workers.process import Spawn
from agent.workers.protocol import Configure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.clock import Clock
    from agent.config import Settings
    from agent.model import Definition, Journey, Problem

VERSION = version("footfall")

_log = structlog.get_logger("footfall.intake")


@dataclass(frozen=True, slots=True)
class Intake:
    """A sound configuration and its journeys; ``broken`` are files that held none."""

    settings: Settings
    journeys: Sequence[Journey]
    broken: Sequence[Problem] = ()


async def take_in(path: Path | None, environ: Mapping[str, str], clock: Clock) -> Intake:
    """Read everything; a broken journey file costs its own journeys, unless none are left.

    Raises:
        ConfigError: with every fault of the configuration and of how the journeys fit it,
            those of broken files beside them.

    """
    settings, problems = config.load_lenient(path, environ)
    if settings is None:
        raise ConfigError(problems)
    definitions, broken = await discover(settings, clock)
    journeys: list[Journey] = []
    misfits: Sequence[Problem] = ()
    try:
        journeys = config.resolve(settings, definitions, interval_of, complete=not broken)
    except ConfigError as error:
        misfits = error.problems
    if problems or misfits or (broken and not journeys):
        raise ConfigError([*problems, *broken, *misfits])
    return Intake(settings, journeys, broken)


async def discover(settings: Settings, clock: Clock) -> tuple[list[Definition], list[Problem]]:
    """Import the journey files in a worker of their own; needs neither browser nor state."""
    temporary = tempfile.TemporaryDirectory(prefix="footfall-", ignore_cleanup_errors=True)
    with temporary as scratch:
        configure = configuration(settings, executable="")
        spawn = Spawn(str(uuid.uuid4()), configure, log_print, clock, Path(scratch))
        return await discover_in(settings.journeys, spawn)


def configuration(settings: Settings, executable: str) -> Configure:
    """Return what workers are told; those that only import journeys need no executable."""
    return Configure(
        journeys=str(settings.journeys),
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
