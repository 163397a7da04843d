"""The command that all others belong to, and what its help says."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Final

import typer

MORE: Final = "More: {} of the repository."
"""Each command's help leads to the page that tells the rest."""

app = typer.Typer(
    name="footfall",
    epilog=MORE.format("README.md"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
