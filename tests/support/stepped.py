"""``python tests/support/stepped.py FILE run …``: the agent with a wall clock that can be set.

FILE holds the seconds by which the agent's wall clock is off the machine's; it is read each
time the agent asks, so that writing it sets the clock while the agent runs.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from agent.core.clock import SystemClock


class SteppedClock(SystemClock):
    """The machine's clocks, the wall clock off by what a file says."""

    def __init__(self) -> None:
        self._file = OFFSET

    def wall(self) -> float:
        """Unix time in seconds, off."""
        return super().wall() + float(self._file.read_text())


if __name__ == "__main__":
    OFFSET = Path(sys.argv.pop(1))
    command_line = importlib.import_module("agent.cli.main")
    command_line.SystemClock = SteppedClock  # type: ignore[attr-defined]
    command_line.main()
