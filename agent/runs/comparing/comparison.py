"""What is different in a walk that failed, from its journey's last passes. Pure.

A walk is compared up to the step that it failed in. What explains the rest stands first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.core.difference import ENOUGH, Change, Comparison
from agent.runs.comparing import versions
from agent.runs.comparing.asked import AskedChanges
from agent.runs.comparing.found import Found, Rank
from agent.runs.comparing.passes import Passes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.outline import Outline

_MOST: Final = 10
"""Changes that are told."""
_SLOWER: Final = 4.0
_SLOWER_BY: Final = 2.0
"""A factor, and seconds, by which a step takes longer than in any of the passes to be told."""


def compare(failed: Outline, kept: Sequence[Outline]) -> Comparison:
    """Return what is different in a walk that failed.

    Args:
        failed: its outline.
        kept: those of the journey's last passes, the newest first. Five are compared with; from
            older ones it is known what comes and goes.

    """
    passes = Passes([one for one in kept if one.site == failed.site])
    if not passes.recent:
        return Comparison()
    found = sorted(_found(failed, passes), key=lambda one: one.rank)
    changes = [one.change for one in found[:_MOST]]
    if changes and len(passes.recent) < ENOUGH:
        changes.append(_few(len(passes.recent)))
    return Comparison(len(passes.recent), tuple(changes))


def _found(failed: Outline, passes: Passes) -> Iterator[Found]:
    yield from versions.release(failed, passes)
    yield from versions.scripts(failed, passes)
    yield from AskedChanges(failed, passes).find()
    yield from _raised(failed, passes)
    yield from _console(failed, passes)
    yield from _steps(failed, passes)


def _raised(failed: Outline, passes: Passes) -> Iterator[Found]:
    """Yield errors that no pass raised; those of a script that changed are told with it."""
    changed = versions.changed_scripts(failed, passes)
    known = passes.in_any(lambda walk: walk.raised)
    for one in failed.raised:
        if one in known or one.at in changed:
            continue
        if passes.comes_and_goes(lambda walk, one=one: one in walk.raised, now=True):  # type: ignore[misc]
            continue
        where = f" at {one.at}" if one.at else ""
        line = f"uncaught error on the page: {one.error}{where}"
        yield Found(Rank.PAGE_ERROR, Change("page_error", line, one.at, "", one.error))


def _console(failed: Outline, passes: Passes) -> Iterator[Found]:
    known = passes.in_any(lambda walk: walk.console)
    for text in failed.console:
        if text in known:
            continue
        if passes.comes_and_goes(lambda walk, text=text: text in walk.console, now=True):  # type: ignore[misc]
            continue
        line = f"new error in the console: {text}"
        yield Found(Rank.CONSOLE, Change("console", line, "console", "", text))


def _steps(failed: Outline, passes: Passes) -> Iterator[Found]:
    """Yield steps that were passed, but took far longer than in any pass."""
    for at, step in enumerate(failed.steps):
        times = [
            walk.steps[at].seconds
            for walk in passes.kept
            if at < len(walk.steps) and walk.steps[at].name == step.name
        ]
        usual = max((time for time in times if time is not None), default=None)
        if step.seconds is None or usual is None or len(times) < len(passes.kept):
            continue
        if step.seconds >= max(_SLOWER * usual, usual + _SLOWER_BY):
            before, now = f"{usual:.1f} s", f"{step.seconds:.1f} s"
            line = f'step "{step.name}" took {now}, before {before} at most'
            yield Found(Rank.STEP, Change("step", line, step.name, before, now, step.name))


def _few(count: int) -> Change:
    passes = "the last pass alone" if count == 1 else f"the last {count} passes alone"
    line = f"compared with {passes}, not {ENOUGH}: some of it may vary from walk to walk"
    return Change("few_passes", line, "", "", str(count))
