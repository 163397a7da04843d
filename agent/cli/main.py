"""The ``footfall`` command: what it says and exits with where a command can't do its work."""

from __future__ import annotations

# Importing them adds their commands.
from agent.cli import (  # noqa: F401
    agent_commands,
    file_commands,
    journey_commands,
    remote_commands,
    switch_commands,
)
from agent.cli.command_app import app
from agent.core.errors import AgentUnreachable, ConfigError, FootfallError


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
    # Not before it is needed: who stops the walks waits for what is imported.
    from rich.console import Console

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    lines = error.problems if isinstance(error, ConfigError) else [error]
    for line in lines:
        errors.print(f"error: {line}", markup=False)
