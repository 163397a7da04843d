"""``footfall status``: how the journeys of a running agent stand, and where the evidence is."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from datetime import datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.core.errors import ConfigError, Problem
from agent.core.standing import (
    State,
    ago,
    by_urgency,
    details,
    ends,
    held_by,
    is_well,
    state_of,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from agent.cli.running_agent import Agent
    from agent.core.standing import Journey

_WIDE = 140
"""Columns where nobody looks through a terminal."""
_INDENT = 4
_LABEL = 12
_NAME, _OWNER = 1, 4
"""Columns that hold names."""
_LEAST = 12
"""Columns that a name keeps where the terminal is narrow."""
_WANTED = (
    'These links want the token: curl -OH "Authorization: Bearer $FOOTFALL_SERVER__TOKEN" LINK'
)

_SHOWN = {
    State.FAILS: ("FAIL", "bold red"),
    State.NOT_MEASURED: ("NOT MEASURED", "magenta"),
    State.SILENT: ("SILENT", "magenta"),
    State.WAITS: ("no run yet", ""),
    State.FLAKY: ("flaky", "yellow"),
    State.PASSES: ("pass", "green"),
    State.PAUSED: ("paused", "cyan"),
    State.MAINTENANCE: ("maintenance", "cyan"),
    State.DISABLED: ("disabled", "dim"),
}


async def status(agent: Agent, names: Sequence[str], *, json: bool) -> None:
    """Print how things stand.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: a journey is unknown, or the agent wants another token.

    """
    listed, ready, healthy = await agent.get("/api/v1/journeys", "/readyz", "/healthz")
    journeys = sorted(_chosen(listed["journeys"], names), key=by_urgency)
    checks = {**ready["checks"], **healthy["checks"]}
    if json:
        whole = {
            "url": agent.url,
            "at": listed["at"],
            "location": listed["location"],
            "ready": ready["status"] != "failing",
            "degraded": ready["status"] == "degraded",
            "checks": checks,
            "pauses": listed.get("pauses", []),
            "maintenance": listed.get("maintenance", []),
            "certificates": listed.get("certificates", []),
            "journeys": [_absolute(journey, agent.url) for journey in journeys],
        }
        print(jsonlib.dumps(whole))  # noqa: T201 - the command's own output
        return
    page = _Page(agent, datetime.fromisoformat(listed["at"]))
    page.summary(listed["location"], journeys)
    # Who asks for a journey by name wants to know all of it.
    page.journeys(journeys, {one["journey"] for one in journeys if names or not is_well(one)})
    page.suspensions(listed.get("pauses", ()), listed.get("maintenance", ()))
    page.certificates([one for one in listed.get("certificates", ()) if one["near"]])
    page.agent(checks)


def _chosen(journeys: list[Journey], names: Sequence[str]) -> list[Journey]:
    known = {journey["journey"] for journey in journeys}
    listed = ", ".join(sorted(known)) or "none"
    unknown = [
        Problem(name, f"the agent has no such journey; known: {listed}")
        for name in names
        if name not in known
    ]
    if unknown:
        raise ConfigError(unknown)
    return [journey for journey in journeys if not names or journey["journey"] in names]


class _Page:
    """What is printed, on a terminal of any width, or where nobody looks on."""

    def __init__(self, agent: Agent, now: datetime) -> None:
        self._agent = agent
        self._now = now
        if isinstance(sys.stdout, TextIOWrapper):
            # What a page says may have characters that this terminal doesn't.
            sys.stdout.reconfigure(errors="replace")
        self._console = Console(highlight=False)
        self._folds = self._console.is_terminal or "COLUMNS" in os.environ
        """Whether lines are broken to fit. One in a file that is can't be searched for."""
        if not self._folds:
            self._console.width = _WIDE

    def summary(self, location: str, journeys: Sequence[Journey]) -> None:
        """Print which agent it is, and how many journeys stand how."""
        counts = [
            f"{number} {_SHOWN[state][0]}"
            for state in State
            if (number := sum(state_of(journey) is state for journey in journeys))
        ]
        summary = f"Footfall at {location}, {self._agent.url}: {', '.join(counts) or 'no journeys'}"
        self._console.print(Text(_clean(summary), style="bold"), soft_wrap=not self._folds)
        self._console.print()

    def journeys(self, journeys: Sequence[Journey], explained: AbstractSet[str]) -> None:
        """Print a row for each, and under it what is to be known of those to be explained."""
        console = self._console
        head = ("", "journey", "last run", "next", "owner")
        rows = [head, *(_row(journey, self._now) for journey in journeys)]
        # The same for all rows, between which other lines stand.
        widths = _fit([max(map(len, column)) for column in zip(*rows, strict=True)], console.width)
        if journeys:
            self._row(head, widths, "dim")
        linked = apart = False
        for journey, row in zip(journeys, rows[1:], strict=True):
            self._row(row, widths, _SHOWN[state_of(journey)][1])
            apart = journey["journey"] in explained
            for label, text in details(journey, self._now, self._agent.url) if apart else ():
                linked |= text.startswith(self._agent.url)
                self._line(label, text)
            if apart:
                self._console.print()
        if not apart:
            console.print()
        if linked and self._agent.token:
            self._console.print(Text(_WANTED), soft_wrap=True)
            self._console.print()

    def suspensions(
        self, pauses: Sequence[Mapping[str, Any]], windows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Print what people have paused, and each window as it holds or comes next."""
        for pause in pauses:
            names = "every journey" if pause["journeys"] is None else ", ".join(pause["journeys"])
            but = f" but {', '.join(pause['resumed'])}" if pause["resumed"] else ""
            self._console.print(Text("paused", style="bold cyan"))
            self._line("journeys", names + but)
            self._line("", held_by(pause, self._now))
        for window in windows:
            word = "maintenance" if window["holds"] else "next maintenance"
            self._console.print(Text(word, style="bold cyan" if window["holds"] else "dim"))
            self._line("journeys", ", ".join(window["journeys"]))
            self._line("", held_by(window, self._now))
        if pauses or windows:
            self._console.print()

    def certificates(self, near: Sequence[Mapping[str, Any]]) -> None:
        """Print the certificates that end soon."""
        for one in near:
            self._console.print(Text("certificate", style="bold yellow"))
            self._line("", ends(one, self._now))
        if near:
            self._console.print()

    def agent(self, checks: Mapping[str, Mapping[str, Any]]) -> None:
        """Print how the agent itself is."""
        failing = [name for name, check in checks.items() if not check["ok"]]
        degraded = [name for name, check in checks.items() if check.get("degraded")]
        word, style = "ready", "bold"
        if failing:
            word, style = f"NOT READY: {', '.join(failing)}", "bold red"
        elif degraded:
            word, style = f"degraded: {', '.join(degraded)}", "bold yellow"
        self._console.print(Text(f"agent  {word}", style=style))
        for name, check in checks.items():
            mark = "FAILS: " if name in failing else "LOOK: " if name in degraded else ""
            self._line(name, f"{mark}{check['detail']}")

    def _row(self, row: Sequence[str], widths: Sequence[int], style: str) -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        for width in widths[:-1]:
            table.add_column(width=width, overflow="fold")
        table.add_column(max_width=widths[-1], overflow="fold")
        row = row[: len(widths)]
        # The state and the name; in words it stands there anyway.
        cells = [Text(_clean(cell), style=style if at < 2 else "") for at, cell in enumerate(row)]
        table.add_row(*cells)
        self._console.print(table)

    def _line(self, label: str, text: str) -> None:
        """Print a line under a row. A link, or any other single word, is never broken."""
        indent = " " * _INDENT
        shown = Text(_clean(text))
        if self._folds and " " in text:
            table = Table.grid()
            table.add_column(width=_INDENT + _LABEL)
            table.add_column(overflow="fold")
            table.add_row(Text(f"{indent}{label}", style="dim"), shown)
            self._console.print(table)
            return
        line = Text.assemble(indent, (label.ljust(_LABEL), "dim"), shown)
        self._console.print(line, soft_wrap=True)


def _fit(widths: list[int], room: int) -> list[int]:
    """Return the columns' widths that fit: the names give way, then the last columns go."""
    while True:
        spare = room - sum(widths) - 2 * (len(widths) - 1)
        for column in (_OWNER, _NAME):
            if column < len(widths):
                gives = max(0, min(-spare, widths[column] - _LEAST))
                widths[column] -= gives
                spare += gives
        if spare >= 0 or len(widths) <= _NAME + 1:
            return widths
        widths = widths[:-1]


def _row(journey: Journey, now: datetime) -> tuple[str, ...]:
    last = journey["last_run"]
    return (
        _SHOWN[state_of(journey)][0],
        journey["journey"],
        "never" if last is None else f"{ago(last['started_at'], now)} ago",
        "running" if journey["running"] else until(journey["next_at"], now),
        journey["owner"],
    )


def _clean(text: str) -> str:
    """Return text without what would steer a terminal: much of it comes from web pages."""
    return "".join(char if char.isprintable() else " " for char in text)


def _absolute(journey: Journey, url: str) -> Journey:
    """Return a journey with links that lead somewhere by themselves."""
    changed = {
        key: {
            **run,
            "screenshot": run["screenshot"] and url + run["screenshot"],
            "links": {path: url + link for path, link in run["links"].items()},
        }
        for key in ("last_run", "last_failure")
        if (run := journey[key])
    }
    return {**journey, **changed}
