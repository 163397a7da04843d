"""How the journeys of a running agent stand, as a person reads it on a terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from agent.core.crowding import crowded
from agent.core.standing import (
    State,
    ago,
    details,
    ends,
    held_by,
    of_replica,
    state_of,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from rich.console import Console

    from agent.cli.running_agent import Agent
    from agent.core.standing import Journey

_WIDE = 140
"""Columns where nobody looks through a terminal."""
_INDENT = 4
_LABEL = 12
_NAME, _STRIP, _OWNER = 1, 4, 5
"""Columns that hold names, and the last results."""
_LEAST = 12
"""Columns that a name keeps where the terminal is narrow."""
_WANTED = (
    'These links want the token: curl -OH "Authorization: Bearer $FOOTFALL_SERVER__TOKEN" LINK'
)

_READY = "ready"
_SHOWN = {
    State.FAILS: ("FAIL", "bold red"),
    State.NOT_MEASURED: ("NOT MEASURED", "magenta"),
    State.SILENT: ("SILENT", "magenta"),
    State.SLOW: ("SLOW", "yellow"),
    State.WAITS: ("no run yet", ""),
    State.FLAKY: ("flaky", "yellow"),
    State.PASSES: ("pass", "green"),
    State.PAUSED: ("paused", "cyan"),
    State.MAINTENANCE: ("maintenance", "cyan"),
    State.DISABLED: ("disabled", "dim"),
}
_MARKS = {
    "pass": (".", "green"),
    "flaky": ("~", "yellow"),
    "fail": ("F", "bold red"),
    "not_measured": ("?", "magenta"),
}
"""What stands for a result where there is room for one character."""
_LEGEND = "last results, the newest on the right: . pass  ~ flaky  F fail  ? not measured"


class Page:
    """What is printed, on a terminal of any width, or where nobody looks on."""

    def __init__(self, agent: Agent, now: datetime, console: Console) -> None:
        self._agent = agent
        self._now = now
        self._console = console
        self._folds = self._console.is_terminal or "COLUMNS" in os.environ
        """Whether lines are broken to fit. One in a file that is can't be searched for."""
        if not self._folds:
            self._console.width = _WIDE

    def summary(
        self,
        location: str,
        journeys: Sequence[Journey],
        checks: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Print which agent it is, how many journeys stand how, and whether it is well itself."""
        counts = [
            f"{number} {_SHOWN[state][0]}"
            for state in State
            if (number := sum(state_of(journey) is state for journey in journeys))
        ]
        summary = f"Footfall at {location}, {self._agent.url}: {', '.join(counts) or 'no journeys'}"
        self._console.print(Text(_clean(summary), style="bold"), soft_wrap=not self._folds)
        word, style = _standing(checks)
        if word != _READY:
            self._console.print(Text(f"The agent itself: {word}", style=style))
        if found := crowded(journeys, self._now):
            told = f"The agent itself: {found}, the last {ago(found.last_at, self._now)} ago"
            self._console.print(Text(told, style="bold yellow"), soft_wrap=not self._folds)
        self._console.print()

    def journeys(self, journeys: Sequence[Journey], explained: AbstractSet[str]) -> None:
        """Print a row for each, and under it what is to be known of those to be explained."""
        console = self._console
        head = ("", "journey", "last run", "next", "last results", "owner")
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
        if len(widths) > _STRIP and any(journey.get("history", ()) for journey in journeys):
            console.print(Text(_LEGEND, style="dim"))
            console.print()
        if linked and self._agent.token and self._agent.configured:
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

    def replicas(self, replicas: Sequence[Mapping[str, Any]]) -> None:
        """Print who else is at the location, or was."""
        for one in replicas:
            style = "bold red" if one["state"] == "lost" else "bold yellow" if one["behind"] else ""
            here = ", this one" if one["here"] else ""
            self._console.print(Text(_clean(f"replica  {one['name']}{here}"), style=style))
            self._line("", of_replica(one, self._now))
        if replicas:
            self._console.print()

    def agent(self, checks: Mapping[str, Mapping[str, Any]]) -> None:
        """Print how the agent itself is."""
        word, style = _standing(checks)
        self._console.print(Text(f"agent  {word}", style=style))
        for name, check in checks.items():
            mark = "LOOK: " if check.get("degraded") else "" if check["ok"] else "FAILS: "
            self._line(name, f"{mark}{check['detail']}")

    def _row(self, row: Sequence[str], widths: Sequence[int], style: str) -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        for width in widths[:-1]:
            table.add_column(width=width, overflow="fold")
        table.add_column(max_width=widths[-1], overflow="fold")
        row = row[: len(widths)]
        # The state and the name; in words it stands there anyway.
        cells = [
            _strip(cell) if at == _STRIP else Text(_clean(cell), style=style if at < 2 else "")
            for at, cell in enumerate(row)
        ]
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


def _standing(checks: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Say in a word how the agent itself is, and in which style that is told."""
    failing = [name for name, check in checks.items() if not check["ok"]]
    degraded = [name for name, check in checks.items() if check.get("degraded")]
    if failing:
        return f"NOT READY: {', '.join(failing)}", "bold red"
    if degraded:
        return f"degraded: {', '.join(degraded)}", "bold yellow"
    return _READY, "bold"


def _strip(marks: str) -> Text:
    """Colour the marks of the last results; a heading stays as it is."""
    styles = dict(_MARKS.values())
    if not set(marks) <= styles.keys():
        return Text(marks)
    return Text.assemble(*((mark, styles[mark]) for mark in marks))


def _fit(widths: list[int], room: int) -> list[int]:
    """Return the columns' widths that fit: the names give way, then the last columns go."""
    fitting: list[int] = []
    for count in range(len(widths), _NAME, -1):
        fitting = widths[:count]
        over = sum(fitting) + 2 * (count - 1) - room
        for column in (_OWNER, _NAME):
            if over > 0 and column < count:
                gives = max(0, min(over, fitting[column] - _LEAST))
                fitting[column] -= gives
                over -= gives
        if over <= 0:
            break
    return fitting


def _row(journey: Journey, now: datetime) -> tuple[str, ...]:
    last = journey["last_run"]
    return (
        _SHOWN[state_of(journey)][0],
        journey["journey"],
        "never" if last is None else f"{ago(last['started_at'], now)} ago",
        "running" if journey["running"] else until(journey["next_at"], now),
        "".join(_MARKS[result][0] for result in journey.get("history", ())),
        journey["owner"],
    )


def _clean(text: str) -> str:
    """Return text without what would steer a terminal: much of it comes from web pages."""
    return "".join(char if char.isprintable() else " " for char in text)
