"""The tables that are printed."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from rich.table import Table

from tests.bench.lateness import quantile
from tests.bench.memory import largest, middle
from tests.bench.noise import PAGES
from tests.bench.shares import ROLES
from tests.bench.store import CHANGED, DAYS, JOURNEYS
from tests.bench.viewer import ALL, BARE, CALLS, LISTENING, OPEN
from tests.bench.views import SIDES, VIEWS

if TYPE_CHECKING:
    from tests.bench.cost import Costs, Window
    from tests.bench.idle import Idle
    from tests.bench.lateness import Lateness
    from tests.bench.memory import Memory
    from tests.bench.noise import Noises
    from tests.bench.stop import Stop
    from tests.bench.store import Pages
    from tests.bench.views import Views

RATIO = 1.10
LATE = 0.5
STOPPED = 1.0
VIEW = 1.10
LATE_VIEW = 1.03
VITAL = 1.05
NOISE = 1.15
IDLE_SHARE = 0.01
IDLE_SIZE = 350 << 20
PAGE = 0.05
YEAR_SIZE = 100_000_000
_FIGURES = ("wall", "cpu", "lcp", "ttfb")
_VITALS = _FIGURES[2:]


def costs(found: Costs, node: float | str) -> Table:
    """CPU-seconds per run; ``node`` is the test runner's, or why there is none."""
    table = Table("", "runs", "runs/s", "CPU-s per run", title="What a run costs")
    for number, window in enumerate(found.bare, start=1):
        _row(table, f"bare loops, {number}", window)
        if number <= len(found.agent):
            _row(table, f"agent, {number}", found.agent[number - 1])
    table.add_section()
    table.add_row("bare loops", "", "", f"{statistics.median(w.each for w in found.bare):.3f}")
    table.add_row("agent", "", "", f"{statistics.median(w.each for w in found.agent):.3f}")
    if isinstance(node, str):
        table.add_row("npx playwright test", "", "", node)
    else:
        table.add_row("npx playwright test", "", "", f"{node:.3f}")
    table.add_section()
    each = ", ".join(f"{ratio:.2f}" for ratio in found.ratios)
    table.add_row(
        "agent / bare loops",
        "",
        f"({each})",
        f"[bold]{found.ratio:.2f}[/bold] {_held(found.ratio <= RATIO)} ≤ {RATIO:.2f}",
    )
    table.caption = f"{found.replaced} workers were replaced meanwhile, at their cost"
    if found.bad:
        table.caption += f"; [red]{found.bad} of its runs did not pass[/red]"
    return table


def shares(found: Costs) -> Table:
    """Who spends it: CPU-milliseconds per run, by role."""
    table = Table("", "loop or supervisor", "workers", "drivers", "browsers")
    table.title = "Who spends it, in CPU-ms per run"
    for name, windows in (("bare loops", found.bare), ("agent", found.agent)):
        each = (
            statistics.median(window.shares.of(role) / window.runs for window in windows)
            for role in ROLES
        )
        table.add_row(name, *(f"{1000 * seconds:.0f}" for seconds in each))
    return table


def lateness(found: Lateness) -> Table:
    """Start lateness."""
    table = Table("from a slot's time", "p50", "p99", "largest")
    table.title = "Start lateness at half of the full rate"
    table.caption = (
        f"{len(found.walking)} runs at {found.rate:.2f} a second, workers {found.busy:.0%} busy, "
        f"{found.skipped} slots skipped"
    )
    for name, values in (("to its worker", found.taken), ("to its first step", found.walking)):
        late = quantile(values, 0.99)
        table.add_row(
            name,
            f"{quantile(values, 0.5):.3f} s",
            f"[bold]{late:.3f} s[/bold] {_held(late < LATE)} < {LATE} s",
            f"{max(values):.3f} s",
        )
    return table


def stops(found: list[Stop]) -> Table:
    """How soon walks end that somebody stops."""
    table = Table("to the last step of any walk", "p50", "largest")
    table.title = "footfall pause --all --now, under two walks"
    table.caption = f"{len(found)} tries; from the command on, its own start is in it"
    sides = {
        "from the command": [one.from_command for one in found],
        "from when the agent says so": [one.from_agent for one in found],
    }
    for name, values in sides.items():
        most = max(values)
        table.add_row(
            name,
            f"{quantile(values, 0.5):.3f} s",
            f"[bold]{most:.3f} s[/bold] {_held(most < STOPPED)} < {STOPPED} s",
        )
    return table


def views(found: Views, title: str, limit: float) -> Table:
    """What the agent adds to a page; ``limit`` is the most that its time may be over bare."""
    table = Table("", "requests", "wall", "CPU", "LCP", "TTFB", title=title)
    names = {
        BARE: "bare Playwright",
        OPEN: "interception on, nothing held",
        LISTENING: "agent, listening alone",
        CALLS: "agent, holding calls",
        ALL: "agent, holding and signing all",
    }
    for view in VIEWS:
        for side in SIDES:
            table.add_row(
                f"{names[side]}, {view}",
                ", ".join(str(count) for count in sorted(found.requests(side, view))),
                *(f"{1000 * found.middle(what, side, view):.0f} ms" for what in _FIGURES),
            )
        for side in SIDES[1:]:
            same = found.requests(side, view) == found.requests(BARE, view)
            cells = [f"{found.ratio(what, side, view):.2f}" for what in _FIGURES]
            if side == CALLS:
                wall, lcp, ttfb = (found.ratio(what, side, view) for what in ("wall", *_VITALS))
                cells = [_goal(wall, limit), cells[1], _goal(lcp, VITAL), _goal(ttfb, VITAL)]
            table.add_row(f"{names[side]} / bare, {view}", _held(same), *cells)
        table.add_section()
    table.caption = f"medians of {len(found.looks[BARE, VIEWS[0]])} rounds, ratios taken in each"
    return table


def noise(found: Noises) -> Table:
    """What console lines and requests cost a walk."""
    table = Table("console lines", "requests", "bare Playwright", "agent", "agent / bare")
    table.title = "A noisy page"
    for page in PAGES:
        ratio = found.ratio(page)
        table.add_row(
            f"{page.lines:,}",
            str(page.requests),
            f"{found.wall(BARE, page):.3f} s",
            f"{found.wall(CALLS, page):.3f} s",
            f"[bold]{ratio:.2f}[/bold] {_held(ratio <= NOISE)} ≤ {NOISE:.2f}",
        )
    rounds = len(found.walks[BARE, PAGES[0]])
    table.caption = f"medians of {rounds} rounds, ratios taken in each"
    return table


def idle(found: Idle) -> Table:
    """What an agent costs while nothing is due."""
    table = Table("", "looks", "", title="50 journeys each 5 min, two workers, between runs")
    table.add_row(
        "CPU, of one core",
        str(len(found.cpu)),
        f"[bold]{found.share:.2%}[/bold] {_held(found.share < IDLE_SHARE)} < {IDLE_SHARE:.0%}",
    )
    table.add_row(
        "PSS of all processes",
        str(len(found.pss)),
        f"[bold]{_mib(found.size)}[/bold] {_held(found.size < IDLE_SIZE)} < {_mib(IDLE_SIZE)}",
    )
    table.caption = f"{found.runs} runs were made meanwhile"
    return table


def pages(found: Pages) -> Table:
    """How fast pages answer out of a large store."""
    table = Table("", "size", "first look", "p50", "largest of the others")
    table.title = f"{JOURNEYS} journeys, {DAYS} days of each: a page, and what it is made of"
    for address, (first, *others) in found.looks.items():
        middle_one = quantile(others, 0.5)
        table.add_row(
            address,
            f"{found.weight[address] / 1024:.0f} KiB",
            f"{1000 * first:.0f} ms",
            f"[bold]{1000 * middle_one:.0f} ms[/bold] {_held(middle_one < PAGE)} "
            f"< {1000 * PAGE:.0f} ms",
            f"{1000 * max(others):.0f} ms",
        )
    listed = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.rows.items())
    size = found.size
    table.caption = (
        f"{listed}: {_mib(size)} {_held(size < YEAR_SIZE)} < {_mib(YEAR_SIZE)}; "
        f"between two looks {CHANGED} journeys end a slot"
    )
    return table


def memory(found: Memory) -> Table:
    """Proportional and resident sizes."""
    table = Table("", "samples", "PSS", "RSS", "largest PSS", title="Memory")
    for name, sizes in (
        ("supervisor", found.supervisor),
        ("worker with driver, idle", found.idle),
        ("worker with driver and browser, in a run", found.running),
    ):
        usual, most = middle(sizes), largest(sizes)
        if usual is None or most is None:
            table.add_row(name, "0", "not seen", "", "")
        else:
            table.add_row(name, str(len(sizes)), _mib(usual.pss), _mib(usual.rss), _mib(most.pss))
    return table


def _row(table: Table, name: str, window: Window) -> None:
    table.add_row(name, str(window.runs), f"{window.rate:.2f}", f"{window.each:.3f}")


def _goal(ratio: float, limit: float) -> str:
    return f"[bold]{ratio:.2f}[/bold] {_held(round(ratio, 2) <= limit)} ≤ {limit:.2f}"


def _held(met: bool) -> str:
    return "[green]met[/green]" if met else "[red]missed[/red]"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
