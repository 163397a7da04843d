"""What several walks came to, as a terminal shows it, and as an exit code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.table import Table

from agent.cli.repeated import summarise
from agent.cli.shown import escape
from agent.core.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from agent.cli.repeated import Repeated, StepTimes
    from agent.core.errors import Problem
    from agent.core.results import RunResult

_WORDS: Final = {
    Result.PASS: "passed",
    Result.FLAKY: "flaky",
    Result.FAIL: "failed",
    Result.NOT_MEASURED: "not measured",
}
_NAME_WIDTH: Final = 34


def exit_code(runs: Sequence[RunResult], problems: Sequence[Problem]) -> int:
    """Return what the command exits with where every walk has to pass."""
    results = {run.result for run in runs}
    if Result.FAIL in results:
        return 1
    if problems or not runs:
        return 2
    return 3 if Result.NOT_MEASURED in results else 0


def exit_code_by_share(
    runs: Sequence[RunResult], problems: Sequence[Problem], at_least: float
) -> int:
    """Return what it exits with where ``at_least`` percent of each journey's walks have to pass."""
    shares = [one.share for one in by_journey(runs).values()]
    if any(share is not None and 100 * share < at_least for share in shares):
        return 1
    if problems or not runs:
        return 2
    return 3 if None in shares else 0


def by_journey(runs: Sequence[RunResult]) -> dict[str, Repeated]:
    """Return what the walks of each journey came to, by its name."""
    walks: dict[str, list[RunResult]] = {}
    for run in runs:
        walks.setdefault(run.journey.name, []).append(run)
    return {name: summarise(walked) for name, walked in walks.items()}


def totals(runs: Sequence[RunResult]) -> str:
    """Return one line of all runs: how many passed, failed and so on."""
    counts = Counter(run.result for run in runs)
    parts = [f"{counts[one]} {word}" for one, word in _WORDS.items() if counts[one]]
    seconds = sum(attempt.duration for run in runs for attempt in run.attempts)
    return f"{len(runs)} runs: {', '.join(parts)}; {seconds:.1f} s of walking"


def show_repeated(console: Console, name: str, repeated: Repeated) -> None:
    """Print how one journey behaved over its walks."""
    console.print()
    console.print(f"[bold]{name}[/bold]  {_share(repeated)}")
    if repeated.steps:
        console.print(_table(repeated.steps))
    for title, lines in (
        ("Failures:", [f"{count}x {what}" for count, what in repeated.failures]),
        ("Different in walks that failed:", repeated.differences),
    ):
        if lines:
            console.print(f"  {title}")
            for line in lines:
                console.print(f"    {escape(line)}")


def _share(repeated: Repeated) -> str:
    if repeated.share is None:
        return f"not one of {repeated.walks} walks measured anything"
    told = f"{repeated.passed} of {repeated.measured} walks passed, {100 * repeated.share:.0f} %"
    lost = repeated.walks - repeated.measured
    return f"{told}; {lost} not measured" if lost else told


def _table(steps: Sequence[StepTimes]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("  step", max_width=_NAME_WIDTH, overflow="ellipsis", no_wrap=True)
    for heading in ("passed", "median", "p95", "from - to"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in steps:
        table.add_row(f"  {escape(step.name)}", *_row(step))
    return table


def _row(step: StepTimes) -> Iterator[str]:
    yield f"{step.passed}/{step.reached}"
    if step.median is None or step.p95 is None:
        yield from ("-", "-", "-")
        return
    yield f"{step.median:.2f} s"
    yield f"{step.p95:.2f} s"
    yield f"{step.shortest:.2f} - {step.longest:.2f} s"
