"""The ``footfall`` command: its words, options and exit codes."""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.cli import log_output
from agent.cli.options import (  # noqa: TC001 - typer reads them at run time
    ConfigFile,
    JourneyNames,
    SiteAddresses,
)
from agent.core.clock import SystemClock
from agent.core.errors import AgentUnreachable, ConfigError, FootfallError
from agent.rules.format import Format
from agent.rules.objective import DEFAULT

_MORE = "More: {} of the repository."
"""Each command's help leads to the page that tells the rest."""

app = typer.Typer(
    name="footfall",
    epilog=_MORE.format("README.md"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_KEYS = typer.Typer(no_args_is_help=True, help="Make the keys that the agent signs with.")
app.add_typer(_KEYS, name="keys")

_ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"footfall {version('footfall')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Walk scripted customer journeys in headless browsers, around the clock."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except ConfigError as error:
        _say(error)
        raise SystemExit(2) from None
    except FootfallError as error:
        _say(error)
        raise SystemExit(4 if isinstance(error, AgentUnreachable) else 1) from None


def _say(error: FootfallError) -> None:
    lines = error.problems if isinstance(error, ConfigError) else [error]
    for line in lines:
        _ERRORS.print(f"error: {line}", markup=False)


@app.command(epilog=_MORE.format("docs/operating.md"))
def run(config: ConfigFile = None) -> None:
    """Run the daemon until SIGTERM; it drains, then leaves. SIGHUP reloads.

    Exit codes: 0 after a drain; 1 failed to start, or something could not be written; 2 bad
    configuration or journeys.
    """
    from agent.cli.run import run as run_daemon

    log_output.configure()
    if not asyncio.run(run_daemon(config, dict(os.environ), SystemClock())):
        raise typer.Exit(1)


@app.command(epilog=_MORE.format("docs/operating.md"))
def check(config: ConfigFile = None) -> None:
    """Load configuration and journeys, and print what would run when.

    Exit codes: 0; 2 with every error at once, by file and line.
    """
    from agent.cli.check import check as check_all

    log_output.configure()
    raise typer.Exit(asyncio.run(check_all(config, dict(os.environ), SystemClock())))


@app.command(epilog=_MORE.format("docs/authoring.md"))
def once(
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
) -> None:
    """Run journeys now, with live progress. Never touches the schedule's metrics.

    Exit codes: 0 all pass or flaky; 1 some fail; 3 some not measured; 2 nothing matched, or
    bad usage, configuration or journeys.
    """
    from agent.cli.once import OnceOptions
    from agent.cli.once import once as run_once

    log_output.configure()
    options = OnceOptions(
        names=tuple(journeys or ()),
        sites=tuple(site or ()),
        headed=headed,
        junit=junit,
        json=json,
        endpoint=endpoint,
    )
    raise typer.Exit(asyncio.run(run_once(config, dict(os.environ), options, SystemClock())))


@app.command(epilog=_MORE.format("docs/identity.md"))
def audit(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="The journey's name.")],
    config: ConfigFile = None,
    site: SiteAddresses = None,
) -> None:
    """Run a journey now, and print every origin that it called.

    Exit codes: 0 passed or flaky; 1 failed; 3 not measured; 2 nothing matched, or bad usage,
    configuration or journeys.
    """
    from agent.cli.audit import audit as run_audit

    log_output.configure()
    code = run_audit(config, dict(os.environ), journey, tuple(site or ()), SystemClock())
    raise typer.Exit(asyncio.run(code))


@app.command(epilog=_MORE.format("docs/telemetry.md"))
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
    from agent.cli.rules import rules as print_rules

    log_output.configure()
    code = print_rules(config, dict(os.environ), format_, objective, SystemClock())
    raise typer.Exit(asyncio.run(code))


@app.command(epilog=_MORE.format("docs/authoring.md"))
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


@_KEYS.command("new", epilog=_MORE.format("docs/identity.md"))
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


@app.command(epilog=_MORE.format("docs/operating.md"))
def status(
    journeys: JourneyNames = None,
    config: ConfigFile = None,
    url: Annotated[
        str, typer.Option(metavar="URL", help="The agent's address; default: as configured.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a running agent how its journeys stand, worst first.

    With error, owner and evidence of each, and how the agent is itself. Exit codes: 0; 4 no
    agent answers; 2 bad usage or configuration, no such journey, or the agent wants another
    token.
    """
    from agent.cli.running_agent import find
    from agent.cli.status import status as show_status

    agent = find(config, dict(os.environ), url)
    asyncio.run(show_status(agent, tuple(journeys or ()), json=json))


@app.command(epilog=_MORE.format("README.md"))
def demo() -> None:
    """Walk a small shop that breaks and is mended, until Ctrl-C.

    Exit codes: 0; 1 failed to start, or the agent ended; 2 not in a checkout.
    """
    from agent.cli.demo import demo as run_demo

    raise typer.Exit(asyncio.run(run_demo(dict(os.environ))))
