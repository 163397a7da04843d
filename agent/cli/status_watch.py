"""``footfall status --watch``: the same page, redrawn in place until Ctrl-C."""

from __future__ import annotations

import asyncio
import json as jsonlib
import signal
import sys
from typing import TYPE_CHECKING

from agent.cli.status import ask, terminal
from agent.core.errors import AgentUnreachable
from agent.core.first_of import first_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from agent.cli.running_agent import Agent

_EVERY = 2.0
"""Seconds between two looks."""
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[J"
"""To the other screen; no cursor, and long lines are cut."""
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


async def watch(agent: Agent, names: Sequence[str], *, json: bool) -> None:
    """Show how things stand until Ctrl-C; page after page where that is no terminal.

    An agent that goes away meanwhile is told, and looked for.

    Raises:
        AgentUnreachable: no agent answers at first.
        ConfigError: a journey is unknown, or the agent wants another token.

    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    console = terminal()
    in_place = console.is_terminal and not json
    page = await _page(agent, names, console, json=json)
    try:
        _write(_ENTER if in_place else "")
        while not stopped.is_set():
            _write(_redrawn(page, console.height) if in_place else f"{page}\n")
            await first_of(stopped.wait(), limit=_EVERY)
            try:
                page = await _page(agent, names, console, json=json)
            except AgentUnreachable as error:
                page = f"{error}\n"
    finally:
        _write(_LEAVE if in_place else "")


async def _page(agent: Agent, names: Sequence[str], console: Console, *, json: bool) -> str:
    told = await ask(agent, names)
    if json:
        return jsonlib.dumps(told.document())
    with console.capture() as captured:
        told.print(console)
    return captured.get()


def _redrawn(page: str, height: int) -> str:
    """Return what draws a page over the one before: nothing is cleared first, so none flickers."""
    lines = page.rstrip("\n").split("\n")
    if len(lines) > height:
        more = len(lines) - height + 1
        lines = [*lines[: height - 1], f"... {more} more lines"]
    return _HOME + "\n".join(f"{line}{_REST_OF_LINE}" for line in lines) + _REST


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
