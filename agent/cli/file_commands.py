"""Commands that make files for others: rules for a store, keys for the edge."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.command_app import MORE, app
from agent.cli.options import ConfigFile  # noqa: TC001 - typer reads it at run time
from agent.core.clock import SystemClock
from agent.rules.format import Format
from agent.rules.objective import DEFAULT

KEYS = typer.Typer(no_args_is_help=True, help="Make the keys that the agent signs with.")
app.add_typer(KEYS, name="keys")


@app.command(epilog=MORE.format("docs/telemetry.md"))
def rules(
    config: ConfigFile = None,
    format_: Annotated[
        Format, typer.Option("--format", help="What they are written for.")
    ] = Format.PROMETHEUS,
    objective: Annotated[
        float,
        typer.Option(metavar="PERCENT", help="How many of the measured runs shall pass."),
    ] = DEFAULT,
) -> None:
    """Print alert and recording rules for the loaded journeys.

    For Prometheus and vmalert, or as OpenSLO. Exit codes: 0; 2 bad usage, configuration or
    journeys, or no journey to watch.
    """
    from agent.cli import log_output
    from agent.cli.rules import rules as print_rules

    log_output.configure()
    code = print_rules(config, dict(os.environ), format_, objective, SystemClock())
    raise typer.Exit(asyncio.run(code))


@KEYS.command("new", epilog=MORE.format("docs/identity.md"))
def new_key(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the key and the directory.")
    ] = Path("keys"),
    keep: Annotated[
        int, typer.Option(metavar="N", help="How many keys the directory lists at most.")
    ] = 2,
) -> None:
    """Make a signing key, and the directory of public keys to publish.

    Run it again to change the key: the directory then lists both. Exit codes: 0; 2 bad usage,
    or the folder can't be used.
    """
    from agent.cli.keys import new as make_key

    make_key(out, keep, SystemClock().wall())
