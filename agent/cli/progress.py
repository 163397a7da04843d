"""A run as a person follows it on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.cli.paths import short
from agent.cli.shown import escape
from agent.core.beacon_report import BeaconAction
from agent.core.results import Result, StepOutcome
from agent.core.slowness import too_slow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.status import Status

    from agent.core.results import RunResult, Step
    from agent.runs.request import RunRequest

_MARKS = {
    StepOutcome.PASS: "[green]✓[/green]",
    StepOutcome.FAIL: "[red]✗[/red]",
    StepOutcome.SKIPPED: "[dim]–[/dim]",
}
_COLOURS = {
    Result.PASS: "green",
    Result.FLAKY: "yellow",
    Result.FAIL: "red",
    Result.NOT_MEASURED: "magenta",
}
_OPTIONAL_MARK = "[yellow]✗[/yellow]"
_NAME_WIDTH = 40
_FROM_ONE = "different from the last pass:"


class Progress:
    """Prints each step as it ends, and what the run came to."""

    def __init__(
        self,
        console: Console,
        request: RunRequest,
        artifacts: Path,
    ) -> None:
        self._console = console
        self._request = request
        self._artifacts = artifacts
        self._status: Status = console.status("starting")

    def begin(self) -> None:
        """Print what is about to be walked."""
        journey = self._request.journey
        summary = f"  {escape(journey.summary)}" if journey.summary else ""
        self._console.print(f"[bold]{journey.name}[/bold]{summary}  [dim]{journey.site.url}[/dim]")
        self._status.start()

    def end(self) -> None:
        """Take the moving part off the terminal."""
        self._status.stop()

    def on_attempt_started(self, number: int) -> None:
        """Say that the journey is walked again."""
        if number > 1:
            self._console.print(f"  [dim]attempt {number}, in a fresh worker[/dim]")

    def on_rest(self, seconds: float) -> None:
        """Show what is waited for."""
        self._status.update(f"failed; confirmed in {seconds:.0f} s")

    def on_step_started(self, name: str, depth: int) -> None:  # noqa: ARG002
        """Show which step goes on."""
        self._status.update(escape(name))

    def on_step_ended(self, step: Step, depth: int) -> None:
        """Print a step that is over."""
        self._console.print(step_line(step, depth))

    def on_logged(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Print what the author logged."""
        shown = " ".join(f"{key}={value}" for key, value in fields.items())
        self._console.print(f"    [dim]{level}: {escape(f'{event} {shown}')}[/dim]")

    def on_printed(self, line: str) -> None:
        """Print what the journey printed."""
        self._console.print(f"    [dim]{escape(line)}[/dim]")

    def finished(self, run: RunResult) -> None:
        """Print the result, and where its evidence lies."""
        slow = too_slow(run)
        kind = run.error_type.value if run.error_type else ""
        self._console.print(result_line(run.result, kind, run.duration, slow=bool(slow)))
        for one in slow:
            self._console.print(f"    [yellow]{escape(one.shown)}[/yellow]")
        cause, *more = run.error.splitlines() or [""]
        for line in filter(None, [cause, run.place.shown if run.place else "", *more]):
            self._console.print(f"    {escape(line)}")
        for line in _different(run):
            self._console.print(f"    {escape(line)}")
        for attempt in run.attempts:
            for folder, files in _by_folder(attempt.artifacts).items():
                where = short(self._artifacts / folder)
                listed = f"{where}: {' '.join(files)}"
                self._console.print(f"    [dim]{escape(listed)}[/dim]")
        if run.escaped:
            self._console.print(f"    [red bold]{escape(_escapes(run))}[/red bold]")
        self._console.print(f"    [dim]trace {run.trace_id}[/dim]")


def _by_folder(paths: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of files by the folder that they lie in."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, []).append(name)
    return found


def step_line(step: Step, depth: int = 0) -> str:
    """Return what is printed of a step that is over."""
    took = "" if step.duration is None else f"{step.duration:6.2f} s"
    name = escape(step.name.ljust(_NAME_WIDTH - 2 * depth))
    passed_over = step.optional and step.result is StepOutcome.FAIL
    mark = _OPTIONAL_MARK if passed_over else _MARKS[step.result]
    note = "  [dim]optional[/dim]" if passed_over else ""
    return f"  {'  ' * depth}{mark} {name} {took}{note}".rstrip()


def result_line(result: Result, error_type: str, duration: float, *, slow: bool = False) -> str:
    """Return what is printed of what a run came to."""
    colour = _COLOURS[result]
    word = result.value.replace("_", " ").upper()
    kind = f"  {error_type}" if error_type else ""
    mark = "  [yellow]SLOW[/yellow]" if slow else ""
    return f"  [{colour} bold]{word}[/{colour} bold]{kind}  {duration:.2f} s{mark}"


def _different(run: RunResult) -> Iterator[str]:
    """Yield what is different from the last passes, under a heading."""
    changes, passes = run.comparison.changes, run.comparison.passes
    if changes:
        yield f"different from the last {passes} passes:" if passes > 1 else _FROM_ONE
        yield from (f"  {change.line}" for change in changes)


def _escapes(run: RunResult) -> str:
    vendors = {
        vendor
        for attempt in run.attempts
        for vendor in attempt.audit.counts.get(BeaconAction.ESCAPED, {})
    }
    noun = "beacon" if run.escaped == 1 else "beacons"
    return f"{run.escaped} {noun} escaped, to {', '.join(sorted(vendors))}"
