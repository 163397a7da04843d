"""The ``footfall`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line; loaded late, since pytest imports this package too."""
    from agent.cli.main import main as run

    run()
