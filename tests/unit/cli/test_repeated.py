"""Many walks of a journey, as numbers that an author can act on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from agent.cli.repeated import summarise
from agent.cli.summary import exit_code_by_share, show_repeated, totals
from agent.core.errors import ErrorType, Problem
from agent.core.results import Result, Step, StepOutcome
from tests.support.build import a_run, an_attempt


@pytest.fixture
def walk(request_):
    """Build one walk: its result, the seconds of its first step, and its requests."""

    def make(result, seconds=0.5, **requests):
        failed = result is not Result.PASS
        error = ErrorType.SCRIPT_ERROR if result is Result.NOT_MEASURED else ErrorType.ASSERTION
        attempt = an_attempt(
            result,
            1,
            error if failed else None,
            started_at=1000.0,
            duration=seconds,
            error="no such [button]\nCall log:" if failed else "",
            steps=(
                Step("Open [it]", StepOutcome.PASS, seconds),
                Step("Pay", StepOutcome.FAIL if failed else StepOutcome.PASS, 0.1),
                Step("Read", StepOutcome.SKIPPED) if failed else Step("Read", StepOutcome.PASS, 1),
            ),
            requests={key.replace("_", " ", 1): count for key, count in requests.items()},
        )
        return a_run(attempt, request=request_, started_at=1000.0, ended_at=1002.5)

    return make


def test_shares_count_what_was_measured(walk):
    """What could not be measured says nothing about the target, in neither direction."""
    told = summarise([walk(Result.PASS), walk(Result.FAIL), walk(Result.NOT_MEASURED)])
    assert (told.walks, told.measured, told.passed, told.share) == (3, 2, 1, 0.5)
    assert summarise([walk(Result.NOT_MEASURED)]).share is None


def test_times_of_a_step_are_those_of_its_passes(walk):
    """Median, the time that 95 % keep, and the span; a step counts where it was reached."""
    walks = [walk(Result.PASS, seconds) for seconds in (0.1, 0.3, 0.2)] + [walk(Result.FAIL, 0.4)]
    first, second, third = summarise(walks).steps
    assert (first.passed, first.reached) == (4, 4)
    assert (first.median, first.p95, first.shortest, first.longest) == (0.25, 0.4, 0.1, 0.4)
    assert (second.passed, second.reached, second.median) == (3, 4, 0.1)
    assert (third.passed, third.reached) == (3, 3)


def test_the_p95_of_many(walk):
    """Of a hundred walks, five may be slower."""
    (first, *_) = summarise([walk(Result.PASS, number) for number in range(1, 101)]).steps
    assert first.p95 == 95


def test_a_step_that_never_passed_has_no_times(walk):
    """And the table shows it all the same."""
    told = summarise([walk(Result.FAIL)])
    assert [one.median for one in told.steps] == [0.5, None, None]
    assert [one.reached for one in told.steps] == [1, 1, 0]


def test_failures_are_told_by_their_kind(walk):
    """The most frequent first, each with its step and the first line of its error."""
    walks = [walk(Result.NOT_MEASURED), walk(Result.FAIL), walk(Result.FAIL), walk(Result.PASS)]
    assert summarise(walks).failures == (
        (2, 'assertion in "Pay": no such [button]'),
        (1, 'script_error in "Pay": no such [button]'),
    )


@pytest.mark.parametrize(
    ("passes", "fails", "differences"),
    [
        ({"seconds": 0.5}, {"seconds": 0.5}, []),
        (
            {"seconds": 0.5},
            {"seconds": 2.0},
            ['"Open [it]" took 2.00 s in walks that failed, 0.50 s in others'],
        ),
        ({"seconds": 0.01}, {"seconds": 0.1}, []),
        (
            {"first_ok": 5},
            {"first_ok": 4, "first_failed": 1},
            ["a request to the site that failed: in 2 of 2 fails, in 0 of 3 passes"],
        ),
        ({"third_failed": 1}, {"third_failed": 7}, []),
    ],
)
def test_what_differs(walk, passes, fails, differences):
    """Only what is clearly more in fails than in passes is worth a line."""
    walks = [walk(Result.PASS, **passes)] * 3 + [walk(Result.FAIL, **fails)] * 2
    assert list(summarise(walks).differences) == differences


def test_without_a_pass_nothing_differs(walk):
    """There is nothing to compare with."""
    assert summarise([walk(Result.FAIL, first_failed=1)] * 2).differences == ()


@pytest.mark.parametrize(
    ("results", "at_least", "code"),
    [
        ("PPPF", 75, 0),
        ("PPPF", 76, 1),
        ("PPPP", 100, 0),
        ("PPN", 100, 0),
        ("NNN", 50, 3),
        ("F", 0, 0),
        ("", 50, 2),
    ],
)
def test_the_exit_code_by_share(walk, results, at_least, code):
    """Of each journey's measured walks so many have to pass; where none is measured, 3."""
    word = {"P": Result.PASS, "F": Result.FAIL, "N": Result.NOT_MEASURED}
    runs = [walk(word[one]) for one in results]
    assert exit_code_by_share(runs, [], at_least) == code


def test_a_wrong_journey_beside_others_is_not_well(walk):
    """Enough passes don't cover a file that could not be read."""
    assert exit_code_by_share([walk(Result.PASS)], [Problem("a.py:1", "no")], 50) == 2


@pytest.mark.parametrize("width", [40, 80])
def test_what_is_printed_fits(walk, width):
    """Names are text, not markup; the table fits the terminal."""
    out = io.StringIO()
    console = Console(file=out, highlight=False, width=width, color_system=None, soft_wrap=True)
    walks = [walk(Result.PASS), walk(Result.FAIL, 3.0), walk(Result.NOT_MEASURED)]
    show_repeated(console, "buy", summarise(walks))
    lines = out.getvalue().splitlines()
    assert lines[1] == "buy  1 of 2 walks passed, 50 %; 1 not measured"
    assert "no such [button]" in out.getvalue()
    assert all(len(line) <= width for line in lines[2 : lines.index("  Failures:")])


def test_the_last_line(walk):
    """It counts what became of the runs, in the words of the results."""
    runs = [walk(Result.PASS), walk(Result.PASS), walk(Result.FAIL), walk(Result.NOT_MEASURED)]
    assert totals(runs) == "4 runs: 2 passed, 1 failed, 1 not measured; 2.0 s of walking"
