"""A run as a person follows it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from agent.cli.progress import Progress
from agent.core.difference import Change, Comparison
from agent.core.results import Result, Step, StepOutcome

ARTIFACTS = Path("var/artifacts")


@pytest.fixture
def shown(request_):
    """Follows a run; gives what was printed."""
    out = io.StringIO()
    console = Console(file=out, highlight=False, width=200, color_system=None)
    progress = Progress(console, request_, ARTIFACTS)

    def lines():
        return out.getvalue().splitlines()

    return progress, lines


def test_names_from_authors_are_printed_as_they_are(shown):
    """Square brackets in a summary, a step or a log line are text, not markup."""
    progress, lines = shown
    progress.begin()
    progress.on_step_started("Open [bold]it", 0)
    progress.on_step_ended(Step("Open [bold]it", StepOutcome.PASS, 0.5), 0)
    progress.on_logged("info", "ordered [red]", {"order": "[17]"})
    progress.on_printed("basket [blue]")
    progress.end()
    assert lines()[0] == "buy_a_mug  A guest buys [the cheapest] mug.  http://127.0.0.1:1"
    assert re.fullmatch(r"  ✓ Open \[bold\]it +0\.50 s", lines()[1])
    assert lines()[2:] == ["    info: ordered [red] order=[17]", "    basket [blue]"]


def test_nothing_steers_the_terminal(shown):
    """Escape sequences in whatever a page, a journey or its author says are shown, not obeyed."""
    progress, lines = shown
    odd = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\u202e"
    progress.on_step_ended(Step(odd, StepOutcome.PASS, 0.5), 0)
    progress.on_logged("info", odd, {odd: odd})
    progress.on_printed(odd)
    text = "\n".join(lines())
    assert not set(odd) - set("[2J]0;owned31m") & set(text)
    assert text.count(r"\x1b[2J\x1b]0;owned\x07\x9b31m\x0d\u202e") == 5


def test_steps_show_their_outcome_and_depth(shown):
    """A mark each; nested ones stand further in; a skipped one has no time."""
    progress, lines = shown
    progress.on_step_ended(Step("Outer", StepOutcome.FAIL, 12.0), 0)
    progress.on_step_ended(Step("Inner", StepOutcome.PASS, 0.25), 1)
    progress.on_step_ended(Step("Later", StepOutcome.SKIPPED), 0)
    outer, inner, later = lines()
    assert re.fullmatch(r"  ✗ Outer +12\.00 s", outer)
    assert re.fullmatch(r"    ✓ Inner +0\.25 s", inner)
    assert later.strip() == "– Later"
    assert outer.index("12.00") == inner.index(" 0.25"), "times stand in one column"


def test_a_second_attempt_is_announced(shown):
    """The first goes without saying."""
    progress, lines = shown
    progress.on_attempt_started(1)
    progress.on_rest(3.0)
    assert progress._status.status == "failed; confirmed in 3 s"
    progress.on_attempt_started(2)
    assert lines() == ["  attempt 2, in a fresh worker"]


@pytest.mark.parametrize(("passes", "them"), [(5, "the last 5 passes"), (1, "the last pass")])
def test_what_is_different_stands_under_the_error(shown, make_run, passes, them):
    """Below a heading that says how many passes it was compared with."""
    progress, lines = shown
    run = make_run(Result.FAIL, error="no")
    told = Comparison(passes, (Change("console", "new error in the console: [b]"),))
    progress.finished(replace(run, attempts=(replace(run.attempts[0], comparison=told),)))
    at = lines().index(f"    different from {them}:")
    assert lines()[at + 1] == "      new error in the console: [b]"


@pytest.mark.parametrize(
    ("attempts", "word"),
    [
        ((Result.PASS,), "PASS"),
        ((Result.FAIL, Result.PASS), "FLAKY  assertion"),
        ((Result.FAIL, Result.FAIL), "FAIL  assertion"),
        ((Result.NOT_MEASURED,), "NOT MEASURED  assertion"),
    ],
)
def test_the_result_stands_with_error_evidence_and_trace(shown, make_run, attempts, word):
    """Word, kind and time; cause, author's line, the rest; each kept file; the trace's id."""
    progress, lines = shown
    run = make_run(*attempts, error="no [button]\nat all")
    progress.finished(run)
    assert lines()[0] == f"  {word}  1.25 s"
    assert lines()[-1] == f"    trace {run.trace_id}"
    failing = [number for number, one in enumerate(attempts, 1) if one is not Result.PASS]
    expected = [f"    var/artifacts/buy/r/attempt-{number}: s.png" for number in failing]
    place = "    at journeys/shop/buy.py:17: await pay(['x'])"
    errors = ["    no [button]", place, "    at all"] if failing else []
    assert lines()[1:-1] == errors + expected
