"""The last tables, kept in the repository: what makes a row worse shows in a change's diff."""

from __future__ import annotations

import io
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

LAST = Path(__file__).with_name("last.txt")
_WIDTH = 110
"""Columns, whatever the terminal has: another terminal is no change."""


class Printed:
    """Prints for whoever waits, and keeps the same as plain text for the file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._kept = Console(file=io.StringIO(), width=_WIDTH, force_terminal=False, no_color=True)

    def print(self, *parts: RenderableType) -> None:
        """Print a line or a table."""
        self._console.print(*parts)
        self._kept.print(*parts)

    def write(self, browser: Path, file: Path = LAST) -> None:
        """Replace the file by what was printed, under the machine it was measured on."""
        assert isinstance(self._kept.file, io.StringIO)
        lines = [*_machine(browser), "", *self._kept.file.getvalue().splitlines()]
        file.write_text("".join(f"{line.rstrip()}\n" for line in lines), "utf-8")


def _machine(browser: Path) -> list[str]:
    return [
        "The last `make bench`, written by it. Compare rows of one machine and one sitting only.",
        f"{datetime.now(UTC):%Y-%m-%d}, {_said('git', 'describe', '--always', '--dirty')}",
        f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}",
        _said(str(browser), "--version"),
    ]


def _said(*command: str) -> str:
    """What a command says of itself, or that it said nothing."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=LAST.parent, timeout=30
    )
    return done.stdout.strip() or f"{command[0]} said nothing"
