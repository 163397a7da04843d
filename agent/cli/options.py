"""Options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The configuration file; default: config.toml here."
    ),
]
JourneyNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="JOURNEY", help="Which journeys; default: all.", show_default=False),
]
SiteAddresses = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=URL", help="Point a site elsewhere; may be repeated."),
]
AgentAddress = Annotated[
    str, typer.Option("--url", metavar="URL", help="The agent's address; default: as configured.")
]
SelectedJourneys = Annotated[
    list[str] | None,
    typer.Argument(metavar="[JOURNEY]...", help="Names, globs, or owner=NAME."),
]
