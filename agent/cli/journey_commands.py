"""Commands for who writes journeys: walk them now, audit them, begin another."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from agent.cli.command_app import MORE, app
from agent.cli.options import (  # noqa: TC001 - typer reads them at run time
    ConfigFile,
    JourneyNames,
    SiteAddresses,
)
from agent.core.clock import SystemClock


@app.command(epilog=MORE.format("docs/authoring.md"))
def once(  # noqa: PLR0913, PLR0917 - to typer, options are arguments
    journeys: JourneyNames = None,
    config: ConfigFile = None,
    site: SiteAddresses = None,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a run.")] = False,
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="Send spans and logs to this OTLP endpoint.")
    ] = "",
    confirm: Annotated[
        bool | None,
        typer.Option(
            "--confirm/--no-confirm",
            help="Confirm a failure by a second walk; default: not on a terminal.",
            show_default=False,
        ),
    ] = None,
    repeat: Annotated[
        int, typer.Option(metavar="N", min=1, help="Walk each N times, and compare the walks.")
    ] = 1,
    at_least: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="Enough if so many of each one's walks pass."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Walk again on each save of a journey; Ctrl-C leaves.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Step through it in Playwright's inspector; no time-outs."),
    ] = False,
) -> None:
    """Run journeys now, with live progress. Never touches the schedule's metrics.

    JOURNEY is a name, a pattern ('front_*') or a file (journeys/shop.py). Exit codes: 0 all
    pass or flaky, or as many as --at-least asks for; 1 some fail; 3 some not measured; 2
    nothing matched, or bad usage, configuration or journeys.
    """
    from agent.cli import log_output
    from agent.cli.once import OnceOptions
    from agent.cli.once import once as run_once
    from agent.cli.once_watch import watch as walk_on_saves

    log_output.configure()
    options = OnceOptions(
        names=tuple(journeys or ()),
        sites=tuple(site or ()),
        headed=headed,
        junit=junit,
        json=json,
        endpoint=endpoint,
        confirm=confirm,
        repeat=repeat,
        at_least=at_least,
        debug=debug,
    )
    walk = walk_on_saves if watch else run_once
    raise typer.Exit(asyncio.run(walk(config, dict(os.environ), options, SystemClock())))


@app.command(epilog=MORE.format("docs/identity.md"))
def audit(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="The journey's name.")],
    config: ConfigFile = None,
    site: SiteAddresses = None,
) -> None:
    """Run a journey now, and print every origin that it called.

    Exit codes: 0 passed or flaky; 1 failed; 3 not measured; 2 nothing matched, or bad usage,
    configuration or journeys.
    """
    from agent.cli import log_output
    from agent.cli.audit import audit as run_audit

    log_output.configure()
    code = run_audit(config, dict(os.environ), journey, tuple(site or ()), SystemClock())
    raise typer.Exit(asyncio.run(code))


@app.command(epilog=MORE.format("docs/authoring.md"))
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The journey's name: lower_case_letters.")
    ],
    url: Annotated[str, typer.Option(metavar="URL", help="The site's address.")],
    config: ConfigFile = None,
) -> None:
    """Write a commented skeleton of a journey into the journeys folder.

    Exit codes: 0; 2 bad name or address, or the file is there.
    """
    from agent.cli.new import new as write_new

    write_new(name, url, config, dict(os.environ))
