"""``footfall pause`` and ``footfall resume``: their words and options."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from agent.cli.command_app import MORE, app
from agent.cli.options import (  # noqa: TC001 - typer reads them at run time
    AgentAddress,
    ConfigFile,
    SelectedJourneys,
)


@app.command(epilog=MORE.format("docs/operating.md"))
def pause(
    journeys: SelectedJourneys = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every journey, those that are loaded later too.")
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever looks.")] = "",
    lasts: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Such as 1h30m; else until resumed.")
    ] = "",
    now: Annotated[bool, typer.Option("--now", help="End what runs, too.")] = False,
    silence: Annotated[
        bool, typer.Option("--silence", help="Walk on and count, but page nobody.")
    ] = False,
    config: ConfigFile = None,
    url: AgentAddress = "",
) -> None:
    """Have a running agent walk no journeys, or page nobody, until they are resumed.

    It survives a restart of the agent. Exit codes: 0; 2 bad usage, no such journey, or the
    agent wants another token; 4 no agent answers.
    """
    from agent.cli.pause import PauseOptions
    from agent.cli.pause import pause as have_paused
    from agent.cli.running_agent import find

    options = PauseOptions(tuple(journeys or ()), everything, reason, lasts, now, silence)
    asyncio.run(have_paused(find(config, dict(os.environ), url), options))


@app.command(epilog=MORE.format("docs/operating.md"))
def resume(
    journeys: SelectedJourneys = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever is paused.")] = False,
    config: ConfigFile = None,
    url: AgentAddress = "",
) -> None:
    """Have paused journeys walk again. Windows of the configuration go on.

    Exit codes: 0; 2 bad usage, no such journey, or the agent wants another token; 4 no agent
    answers.
    """
    from agent.cli.pause import resume as have_resumed
    from agent.cli.running_agent import find

    agent = find(config, dict(os.environ), url)
    asyncio.run(have_resumed(agent, tuple(journeys or ()), everything=everything))
