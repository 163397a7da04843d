"""``footfall audit``: one run, and every origin that it called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from agent.cli.once import load_settings, walk
from agent.cli.rows import print_rows
from agent.cli.shown import escape
from agent.cli.summary import exit_code
from agent.core.beacon_report import BeaconAction
from agent.core.model import Trigger
from agent.pool.process_tree import become_subreaper
from agent.runs.adhoc import AdhocOptions, AdhocRuns, site_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.core.beacon_report import Contact
    from agent.core.clock import Clock
    from agent.core.results import RunResult

_HEADINGS = ("origin", "party", "vendor", "category", "requests", "tagged", "action")
_WIDE = 160
"""Columns where nobody looks through a terminal: a folded line can't be searched for."""


_TAGGED = {
    "all": "tagged: carried the whole identity. The user agent is on everything.",
    "calls": "tagged: carried the whole identity, as documents and calls do (identity.hold). Files "
    "carry user agent and cookie: sort by the user agent, which is on everything.",
}
"""What the column means, by what is held."""


async def audit(
    path: Path | None, environ: Mapping[str, str], name: str, sites: Sequence[str], clock: Clock
) -> int:
    """Walk the journey once and print what it called; return the exit code."""
    settings = load_settings(path, environ, sites)
    become_subreaper()
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDE
    wanted = AdhocOptions(Trigger.ONCE, site_names(sites), "")
    async with AdhocRuns(settings, environ, clock, wanted) as session:
        journeys, problems = await session.journeys((name,))
        for problem in problems:
            console.print(f"[red]error:[/red] {escape(str(problem))}")
        runs = [await walk(session, journey, console) for journey in journeys]
    for run in runs:
        _print(console, run)
        console.print(_TAGGED[settings.hold])
    return exit_code(runs, problems)


def _print(console: Console, run: RunResult) -> None:
    contacts = run.attempts[run.decided_by].audit.contacts if run.attempts else ()
    rows = []
    for contact in sorted(contacts, key=lambda one: (one.party, one.origin)):
        cells = (
            escape(contact.origin),
            contact.party,
            escape(", ".join(contact.vendors)) or "–",
            ", ".join(dict.fromkeys(contact.vendors.values())) or "–",
            str(contact.requests),
            str(contact.tagged),
            _done(contact),
        )
        rows.append([Text.from_markup(cell) for cell in cells])
    print_rows(console, "Origins", _HEADINGS, rows, ("requests", "tagged"))


def _done(contact: Contact) -> str:
    words = [
        f"[red bold]{count} {action.value}[/red bold]"
        if action is BeaconAction.ESCAPED
        else f"{count} {action.value}"
        for action, count in contact.actions.items()
    ]
    if contact.suspects:
        words.append(f"[yellow]{contact.suspects} unknown, beacon-like[/yellow]")
    return ", ".join(words) or "–"
