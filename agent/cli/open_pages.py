"""``footfall status --open``: the agent's pages in a browser, signed in by a link."""

from __future__ import annotations

import json as jsonlib
import os
import tempfile
import webbrowser
from html import escape as as_markup
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from rich.console import Console

from agent.cli.display import has_display
from agent.cli.shown import escape
from agent.storage.private import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.cli.running_agent import Agent

_FILE: Final = "footfall-open.html"
_LEADS: Final = '<!doctype html><meta http-equiv="refresh" content="0; url={}">\n'


async def open_pages(
    agent: Agent, names: Sequence[str], environ: Mapping[str, str], *, json: bool
) -> None:
    """Print a link that signs one person in, once; open it where there is a display.

    With a journey's name it leads to that journey's page.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: the agent wants another token.

    """
    told = (await agent.post("/api/v1/sign-in-links", {})).body
    place = f"&next={quote(f'/journeys/{names[0]}', safe='')}" if names else ""
    link = f"{told['url'] or agent.url}{told['path']}{place}"
    if json:
        print(jsonlib.dumps({"link": link, "lasts": told["lasts"]}))  # noqa: T201 - its output
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(escape(link))
    opened = has_display(environ) and _open(link, environ)
    first = "Opened in your browser. The link" if opened else "Open it in a browser: it"
    console.print(f"[dim]{first} signs one person in, once, within {told['lasts']} s.[/dim]")


def _open(link: str, environ: Mapping[str, str]) -> bool:
    """Have the desktop's browser show a link; return whether there is one.

    By a file of the user's own: others on this machine can read the arguments of a command.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime if os.path.isdir(runtime) else tempfile.mkdtemp(prefix="footfall-"))  # noqa: PTH112 - "" is none
    file = folder / _FILE
    replace_file(file, _LEADS.format(as_markup(link)))
    return webbrowser.open(file.as_uri())
