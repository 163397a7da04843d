"""``footfall runs``: what a running agent has walked, the newest first."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from rich.console import Console
from rich.text import Text

from agent.core.printable import printable
from agent.core.results import Result
from agent.core.run_document import failed_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.cli.running_agent import Agent

_STYLES = {
    Result.PASS: "green",
    Result.FLAKY: "yellow",
    Result.FAIL: "bold red",
    Result.NOT_MEASURED: "magenta",
}
_ID = 8
"""Characters of a run's id that are printed; the other commands and the API take them for it."""
_HEAD = f"{'run':<{_ID}}  {'started (UTC)':<19}  {'result':<12}  {'took':>8}  journey"
_INDENT = " " * (_ID + 2)
_NO_END = 1 << 16
"""Columns where nobody looks on: a line in a file that is broken can't be searched for."""


async def runs(agent: Agent, journey: str, result: str, limit: int, *, json: bool) -> None:
    """Ask for the runs and print them.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: the agent has no such journey, or what was asked for makes no sense to it.

    """
    wanted = {"journey": journey, "result": result, "limit": str(limit)}
    query = urlencode({name: value for name, value in wanted.items() if value})
    (told,) = await agent.get(f"/api/v1/runs?{query}")
    if json:
        for run in told["runs"]:
            print(jsonlib.dumps(run))  # noqa: T201 - the command's own output
        return
    if isinstance(sys.stdout, TextIOWrapper):
        # What a page says may have characters that this terminal doesn't.
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False)
    if not (console.is_terminal or "COLUMNS" in os.environ):
        console.width = _NO_END
    if not told["runs"]:
        console.print("No runs yet." if not result else f"No run came to {result}.")
        return
    _line(console, _HEAD, "dim")
    for run in told["runs"]:
        _show(console, run)


def _show(console: Console, run: Mapping[str, Any]) -> None:
    result = Result(run["result"])
    started = run["started_at"][:19].replace("T", " ")
    took = f"{run['duration']:.2f} s"
    head = f"{run['run_id'][:_ID]}  {started}  {result.value:<12}  {took:>8}  {run['journey']}"
    _line(console, head, _STYLES[result])
    if run["error_type"]:
        step = failed_step(run)
        where = f' in "{step}"' if step else ""
        _line(console, f"{_INDENT}{run['error_type']}{where}", "")
    if error := (run["error"] or "").strip().partition("\n")[0]:
        _line(console, f"{_INDENT}{error}", "dim")


def _line(console: Console, text: str, style: str) -> None:
    """Print one line, cut to what fits."""
    shown = Text(printable(text), style=style)
    shown.truncate(console.width, overflow="ellipsis")
    console.print(shown, no_wrap=True, crop=True)
