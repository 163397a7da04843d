"""Commands that are an agent, or check what one would run."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from agent.cli.command_app import MORE, app
from agent.cli.options import ConfigFile  # noqa: TC001 - typer reads it at run time
from agent.core.clock import SystemClock


@app.command(epilog=MORE.format("docs/operating.md"))
def run(config: ConfigFile = None) -> None:
    """Run the daemon until SIGTERM; it drains, then leaves. SIGHUP reloads.

    Exit codes: 0 after a drain; 1 failed to start, or something could not be written; 2 bad
    configuration or journeys.
    """
    from agent.cli import log_output
    from agent.cli.run import run as run_daemon

    log_output.configure()
    if not asyncio.run(run_daemon(config, dict(os.environ), SystemClock())):
        raise typer.Exit(1)


@app.command(epilog=MORE.format("docs/operating.md"))
def check(
    config: ConfigFile = None,
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="List the secrets that journeys ask for, and which lack."),
    ] = False,
) -> None:
    """Load configuration and journeys, and print what would run when.

    Exit codes: 0; 2 with every error at once, by file and line, or a secret is missing.
    """
    from agent.cli import log_output
    from agent.cli.check import check as check_all
    from agent.cli.check import check_secrets

    log_output.configure()
    if secrets:
        raise typer.Exit(check_secrets(config, dict(os.environ)))
    raise typer.Exit(asyncio.run(check_all(config, dict(os.environ), SystemClock())))


@app.command(epilog=MORE.format("README.md"))
def demo() -> None:
    """Walk a small shop that breaks and is mended, until Ctrl-C.

    Exit codes: 0; 1 failed to start, or the agent ended; 2 bad variables of the server.
    """
    from agent.cli.demo import demo as run_demo

    raise typer.Exit(asyncio.run(run_demo(dict(os.environ))))
