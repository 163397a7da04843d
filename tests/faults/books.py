"""What a campaign found out about each fault, as a table and as rules that were broken."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from tests.support.daemon import until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from tests.support.daemon import Home

LATE_AT_MOST = 1.0
ALL = re.compile("")
"""Takes every fault."""
Outcome = tuple[str, str | None]
"""A result and its ``error.type``."""


@dataclass
class Row:
    """One fault: what was offered, what came of it, and what was left."""

    fault: str
    tries: int
    offered: int = 0
    results: Counter[Outcome] = field(default_factory=Counter)
    first: Counter[Outcome] = field(default_factory=Counter)
    """How the first attempts ended."""
    skips: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    left: int = 0
    """Processes, ports and recordings that outlived their run by more than they may."""
    late: list[float] = field(default_factory=list)
    """Seconds by which the runs of the healthy journey beside it started late."""
    broken: list[str] = field(default_factory=list)
    """The rules that were broken, each in a sentence."""

    slow: str = ""
    """The rule about lateness, where it was broken: a busy machine breaks it too."""
    seconds: float = 0.0
    """How long its tries took: those of faults that share one agent, all together."""
    story: str = ""
    """What was known when the fault could not be tried to its end."""

    @property
    def rules(self) -> str:
        """The rules that were broken, in one line; empty where all were held."""
        return "; ".join([*self.broken, *([self.slow] if self.slow else [])])

    def line(self) -> str:
        """The row in short, for whoever watches the campaign."""
        came_to = ", ".join(part for part in (_words(self.results), _skips(self.skips)) if part)
        verdict = f"BROKEN: {self.rules}" if self.rules else "held"
        return (
            f"{self.fault}, {self.tries} tries: {came_to or '-'}: {verdict} ({self.seconds:.0f} s)"
        )

    def hold(self, rule: bool, sentence: str) -> None:
        """Note a rule that doesn't hold."""
        if not rule:
            self.broken.append(sentence)

    def hold_none_left(self, left: Iterable[object]) -> None:
        """Note what was left over, of which there may be nothing."""
        found = [str(one) for one in left]
        self.left += len(found)
        self.hold(not found, f"left over: {found}")

    def hold_on_time(self, late: list[float]) -> None:
        """Note how late runs started: 99 of 100 by less than a second."""
        self.late = late
        worst = sorted(late)[int(len(late) * 0.99)] if late else 0.0
        if worst >= LATE_AT_MOST:
            self.slow = f"runs started up to {worst:.1f} s late"

    def plain(self) -> dict[str, Any]:
        """The row as JSON-like data."""
        plain = {name.name: getattr(self, name.name) for name in fields(self)}
        plain["held"] = not self.rules
        for name in ("results", "first"):
            plain[name] = {_word(outcome): count for outcome, count in plain[name].items()}
        return plain


Rows = AsyncIterator[Row]
Family = Callable[["Path", int, "Random", re.Pattern[str]], Rows]
"""Tries each fault that matches so many times, in a folder; yields each row once it is known."""
Part = Callable[[str], Awaitable[Row]]
"""Tries the fault of this name."""


async def each(parts: Mapping[str, Part], tries: int, only: re.Pattern[str]) -> Rows:
    """Try the faults whose names match, one after the other.

    One that can't be tried to its end is a row as well, and the next is tried.
    """
    for name, part in parts.items():
        if only.search(name):
            began = time.monotonic()
            try:
                row = await part(name)
            except Exception as error:  # noqa: BLE001 - whatever it was, it is told
                row = broken_off(name, tries, error)
            row.seconds = time.monotonic() - began
            yield row


async def together(walked: Awaitable[list[Row]]) -> Rows:
    """Yield the rows of faults that are tried at once, beside each other in one agent."""
    began = time.monotonic()
    for row in await walked:
        row.seconds = time.monotonic() - began
        yield row


def broken_off(fault: str, tries: int, error: Exception) -> Row:
    """Return the row of a fault that could not be tried to its end."""
    first, _, story = str(error).partition("\n")
    broken = [f"broke off with {type(error).__name__}: {first}"]
    return Row(fault, tries, broken=broken, story=story)


async def until_tried(home: Home, journeys: Collection[str], tries: int, within: float) -> None:
    """Wait until each journey has had so many slots that ended, for so many seconds at most."""
    ended = "SELECT journey, count(*) AS n FROM slots WHERE state IN ('done', 'skipped') GROUP BY 1"

    def tried() -> bool:
        counts = {row["journey"]: row["n"] for row in home.rows(ended)}
        return all(counts.get(journey, 0) >= tries for journey in journeys)

    with suppress(AssertionError):
        await until(tried, within)


def row_of(
    home: Home, fault: str, journey: str, tries: int, intended: Iterable[Outcome] | None = None
) -> Row:
    """Read a journey's books after its agent has ended; hold the rules every fault has."""
    row = Row(fault, tries)
    for slot in home.rows("SELECT * FROM slots WHERE journey = ?", journey):
        row.offered += slot["count"]
        if slot["state"] == "skipped":
            row.skips[slot["reason"]] += slot["count"]
        elif slot["state"] != "done":
            row.lost += 1
    runs = [run for run in home.runs() if run["journey"] == journey]
    for run in runs:
        row.results[(run["result"], run["error_type"])] += 1
        if run["attempts"]:
            first = run["attempts"][0]
            row.first[(first["result"], first["error_type"])] += 1
    row.hold(row.offered >= tries, f"{row.offered} slots came, not {tries}")
    row.hold(row.lost == 0, f"{row.lost} slots have no word")
    twice = [one for one, count in Counter(run["run_id"] for run in runs).items() if count > 1]
    row.hold(not twice, f"runs told twice: {twice}")
    row.hold(
        row.offered == sum(row.results.values()) + sum(row.skips.values()),
        "offered is not results + skips",
    )
    if intended is not None:
        wrong = {outcome: n for outcome, n in row.results.items() if outcome not in set(intended)}
        row.hold(not wrong, f"not intended: {_words(wrong)}")
        row.story = "\n".join(
            str(run["error"]) for run in runs if (run["result"], run["error_type"]) in wrong
        )
    return row


def lateness(home: Home, journey: str) -> list[float]:
    """Return by how many seconds each run of a journey started after its slot."""
    return [
        datetime.fromisoformat(run["started_at"]).timestamp()
        - datetime.fromisoformat(run["scheduled_at"]).timestamp()
        for run in home.runs()
        if run["journey"] == journey
    ]


def table(rows: Sequence[Row]) -> Table:
    """All rows for a terminal."""
    out = Table(box=None, pad_edge=False, title="Fault campaign", title_justify="left")
    headings = ("fault", "tries", "offered", "results", "first attempts", "skips", "lost", "left")
    for heading in headings:
        out.add_column(heading, overflow="fold")
    out.add_column("next start late (s)", overflow="fold")
    out.add_column("took (s)", justify="right")
    out.add_column("rules")
    for row in rows:
        late = f"p50 {median(row.late):.2f} max {max(row.late):.2f}" if row.late else ""
        out.add_row(
            row.fault,
            str(row.tries),
            str(row.offered),
            _words(row.results),
            _words(row.first),
            _skips(row.skips),
            str(row.lost),
            str(row.left),
            late,
            f"{row.seconds:.0f}",
            f"[red]{escape(row.rules)}[/red]" if row.rules else "[green]held[/green]",
        )
    return out


def _words(outcomes: dict[Outcome, int]) -> str:
    return ", ".join(f"{count} {_word(outcome)}" for outcome, count in outcomes.items())


def _skips(skips: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in skips.items())


def _word(outcome: Outcome) -> str:
    return "/".join(word for word in outcome if word)
