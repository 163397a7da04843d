"""``footfall rules``: alert and recording rules for the loaded journeys."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from agent.core import names
from agent.core.errors import ConfigError
from agent.loading import snapshot
from agent.loading.load import load
from agent.rules.format import Format
from agent.rules.objective import LEAST
from agent.rules.openslo import write_objectives
from agent.rules.prometheus import write_rules
from agent.rules.subject import Watch
from agent.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.core.clock import Clock


async def rules(
    path: Path | None,
    environ: Mapping[str, str],
    format_: Format,
    objective: float,
    clock: Clock,
) -> int:
    """Print the rules; return the exit code. ``objective`` is in per cent.

    Raises:
        ConfigError: with every fault; a journey file that can't be read would lose its alerts.
        typer.BadParameter: the objective is none.

    """
    if not LEAST <= objective < 100:
        raise typer.BadParameter(
            f"{objective:g} is no objective: write per cent from {LEAST:g} to below 100, "
            "such as 99.5",
            param_hint="--objective",
        )
    loaded = await load(path, environ, clock)
    snapshot.drop(loaded.folder)
    if loaded.broken:
        raise ConfigError(list(loaded.broken))
    walked = [journey for journey in loaded.journeys if journey.enabled]
    if not walked:
        sys.stderr.write(
            f"No journey to watch in {loaded.settings.journeys}: "
            "`footfall check` lists them, disabled ones too.\n"
        )
        return 2
    settings = loaded.settings
    boundaries = CATALOGUE[names.DURATION].boundaries
    interval = settings.telemetry.interval
    watch = Watch(
        settings.environment,
        settings.location,
        objective,
        boundaries,
        interval,
        settings.server.url,
    )
    write = write_objectives if format_ is Format.OPENSLO else write_rules
    sys.stdout.write(write(walked, watch))
    return 0
