"""Commands that talk to a running agent."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from agent.cli.command_app import MORE, app
from agent.cli.options import (  # noqa: TC001 - typer reads them at run time
    AgentAddress,
    ConfigFile,
    JourneyNames,
)


@app.command(epilog=MORE.format("docs/operating.md"))
def status(
    journeys: JourneyNames = None,
    config: ConfigFile = None,
    url: AgentAddress = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every 2 s, until Ctrl-C.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 or 3 where something is not well.")
    ] = False,
    open_: Annotated[
        bool, typer.Option("--open", help="Print a sign-in link that works once, and open it.")
    ] = False,
) -> None:
    """Ask a running agent how its journeys stand, worst first.

    With error, owner and evidence of each, and how the agent is itself. Exit codes: 0; 4 no
    agent answers; 2 bad usage or configuration, no such journey, or the agent wants another
    token. With --exit-code also: 1 a journey fails; 3 one is not measured, or the agent is not
    ready. --watch ends with 0. --open shows the agent's pages in a browser instead, or those of
    one journey.
    """
    from agent.cli.open_pages import open_pages
    from agent.cli.running_agent import find
    from agent.cli.status import status as show_status
    from agent.cli.status_watch import watch as watch_status

    if open_ and (watch or exit_code or len(journeys or ()) > 1):
        raise typer.BadParameter(
            "goes with one JOURNEY at most, and not with --watch and --exit-code",
            param_hint="--open",
        )
    agent, names = find(config, dict(os.environ), url), tuple(journeys or ())
    if open_:
        asyncio.run(open_pages(agent, names, os.environ, json=json))
        return
    if watch:
        asyncio.run(watch_status(agent, names, json=json))
        return
    code = asyncio.run(show_status(agent, names, json=json))
    raise typer.Exit(code if exit_code else 0)


@app.command(epilog=MORE.format("docs/operating.md"))
def reload(
    config: ConfigFile = None,
    url: AgentAddress = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Have a running agent read configuration and journeys again, as SIGHUP does.

    Prints what changed, or everything that is wrong; then all stays as it was. Exit codes: 0;
    2 refused, or bad usage, or the agent wants another token; 4 no agent answers.
    """
    from agent.cli.reload import reload as have_reloaded
    from agent.cli.running_agent import find

    asyncio.run(have_reloaded(find(config, dict(os.environ), url), json=json))


@app.command(epilog=MORE.format("docs/operating.md"))
def trigger(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="The journey's name.")],
    config: ConfigFile = None,
    url: AgentAddress = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Have a running agent walk a journey now; it counts for nothing but itself.

    Exit codes: 0, with --wait where it passed or was flaky; 1 it failed; 3 it was not measured;
    2 no such journey, it is not walked now, or bad usage; 4 no agent answers.
    """
    from agent.cli.running_agent import find
    from agent.cli.trigger import trigger as have_walked

    agent = find(config, dict(os.environ), url)
    raise typer.Exit(asyncio.run(have_walked(agent, journey, wait=wait, json=json)))


@app.command(epilog=MORE.format("docs/release-gates.md"))
def gate(  # noqa: PLR0913, PLR0917 - to typer, options are arguments
    site: Annotated[str, typer.Option(metavar="NAME", help="The site whose release it is.")],
    journeys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOURNEY",
            help="Those that vote; default: all of the site.",
            show_default=False,
        ),
    ] = None,
    release: Annotated[
        str, typer.Option(metavar="RELEASE", help="The release that has to answer.")
    ] = "",
    within: Annotated[
        str, typer.Option(metavar="TIME", help="In which the verdict is wanted.")
    ] = "10s",
    baseline: Annotated[
        str, typer.Option(metavar="TIME", help="How much of their past journeys are held to.")
    ] = "24h",
    at: Annotated[
        str, typer.Option(metavar="URL", help="Where it answers; default: the site's address.")
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Sent to the site; may be repeated."),
    ] = None,
    config: ConfigFile = None,
    url: AgentAddress = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a running agent for a verdict on a release, and wait for it.

    Exit codes: 0 promote; 1 roll back; 3 no verdict; 2 it can't be asked so, or bad usage; 4 no
    agent answers.
    """
    from agent.cli.ask_gate import GateRequest
    from agent.cli.ask_gate import gate as have_judged
    from agent.cli.running_agent import find

    names, headers = tuple(journeys or ()), tuple(header or ())
    asked = GateRequest(site, names, release, at, headers, within, baseline)
    agent = find(config, dict(os.environ), url)
    raise typer.Exit(asyncio.run(have_judged(agent, asked, json=json)))


@app.command(epilog=MORE.format("docs/operating.md"))
def runs(
    journey: Annotated[
        str, typer.Argument(metavar="JOURNEY", help="Of which journey; default: all.")
    ] = "",
    config: ConfigFile = None,
    url: AgentAddress = "",
    result: Annotated[
        str, typer.Option(metavar="RESULT", help="pass, flaky, fail or not_measured.")
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="How many at most, up to 500.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a run.")] = False,
) -> None:
    """List what a running agent has walked, the newest first.

    Exit codes: 0; 2 no such journey, or bad usage; 4 no agent answers.
    """
    from agent.cli.running_agent import find
    from agent.cli.runs import runs as list_runs

    agent = find(config, dict(os.environ), url)
    asyncio.run(list_runs(agent, journey, result, limit, json=json))


@app.command(epilog=MORE.format("docs/operating.md"))
def trace(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="The run's id, or its first 8 characters.")
    ],
    config: ConfigFile = None,
    url: AgentAddress = "",
) -> None:
    """Open a run's trace in Playwright's viewer on this machine.

    Exit codes: 0; 2 no such run, no trace of it, or bad usage; 4 no agent answers.
    """
    from agent.cli.running_agent import find
    from agent.cli.trace import trace as show_trace

    agent = find(config, dict(os.environ), url)
    asyncio.run(show_trace(agent, run, dict(os.environ)))


@app.command(epilog=MORE.format("docs/operating.md"))
def page(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write it into.")],
    config: ConfigFile = None,
    url: AgentAddress = "",
) -> None:
    """Write the public page of a running agent as static files.

    It shows what [server] public_port does: journeys with a public title, and nothing private.
    Exit codes: 0; 2 bad usage, or the folder can't be written; 4 no agent answers.
    """
    from agent.cli.export_page import page as write_page
    from agent.cli.running_agent import find

    asyncio.run(write_page(find(config, dict(os.environ), url), out))
