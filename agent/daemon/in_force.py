"""What the agent works by, and how another takes its place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from agent import config
from agent.core.errors import ConfigError, FootfallError, Problem
from agent.daemon.changes import between, settings_between
from agent.loading import snapshot
from agent.loading.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.daemon.changes import Changes
    from agent.loading.load import Loaded
    from agent.runs.engine import Engine

_log = structlog.get_logger("footfall.daemon")

_FIXED = (
    "location",
    "environment",
    "state",
    "workers",
    "telemetry",
    "artifacts",
    "server",
    "queue",
)
"""Sections that a reload can't change: stations were built on them."""


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where configuration and journeys are read from."""

    path: Path | None
    environ: Mapping[str, str]


class InForce:
    """Configuration and journeys as the agent works by them; a reload replaces them whole."""

    def __init__(self, loaded: Loaded, copies: Path, now: float) -> None:
        """Move the journeys' copy below ``copies``, of which one is walked."""
        self._copies = copies
        folder = snapshot.bring_home(loaded.folder, copies)
        self.now = replace(loaded, folder=folder)
        """What holds now."""
        self.since = now
        """When that was taken up, in Unix seconds."""
        self.refused = ""
        """Why the last reload was refused; empty where it wasn't."""

    async def renew(self, source: ConfigSource, engine: Engine, clock: Clock) -> Changes:
        """Read everything anew and have the engine work by it.

        Raises:
            ConfigError: it is refused whole, with everything that is wrong; all is as it was.

        """
        try:
            loaded = await load(source.path, source.environ, clock, self._copies)
            if loaded.broken:
                raise ConfigError(loaded.broken)
            self._refuse_fixed(loaded.settings)
            changes = await asyncio.to_thread(between, self.now, loaded)
            secret = config.secret_reader(loaded.settings, source.environ)
            engine.renew(loaded.settings, secret, loaded.folder)
        except (FootfallError, OSError) as error:
            self.refused = str(error)
            _log.error("reload.refused", action="reload", error=self.refused)
            snapshot.keep_only(self._copies, [self.now.folder])
            if isinstance(error, ConfigError):
                raise
            where = str(source.path or config.DEFAULT_FILE)
            raise ConfigError([Problem(where, self.refused)]) from error
        # Walks under way may still import from the one before.
        snapshot.keep_only(self._copies, [self.now.folder, loaded.folder])
        self.now, self.refused, self.since = loaded, "", clock.wall()
        return changes

    def drop(self) -> None:
        """Remove every copy of the journeys."""
        snapshot.keep_only(self._copies, ())

    def _refuse_fixed(self, settings: Settings) -> None:
        changed = settings_between(self.now.settings, settings)
        if fixed := [key for key in changed if key[0] in _FIXED]:
            message = "can't be changed while the agent runs: restart it"
            raise ConfigError([Problem(settings.where(*key), message) for key in fixed])
