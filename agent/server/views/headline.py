"""What a page says first, in its heading, its title and its icon: what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core.standing import State, state_of
from agent.server.views.vocabulary import COUNTED, JOURNEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.server.documents.overview import OverviewDocument

    Said = Callable[[str, str, State], "Headline"]

_FAIL: Final = (State.FAILS,)
_UNKNOWN: Final = (State.NOT_MEASURED, State.SILENT)
_FLAKY: Final = (State.SLOW, State.FLAKY)


@dataclass(frozen=True, slots=True)
class Headline:
    """A sentence, what follows it in smaller type, a title, and the shape and colour of it all."""

    text: str
    rest: str
    title: str
    shape: str
    tone: str


def headline(document: OverviewDocument) -> Headline:
    """Say how all journeys stand, the worst of it first."""
    counts = Counter(state_of(journey) for journey in document["journeys"])
    total = counts.total()
    rest = " · ".join(f"{counts[state]} {COUNTED[state]}" for state in State if counts[state])
    told = rest if len(counts) > 1 else ""
    agent = document["agent"]["status"]

    def said(text: str, title: str, state: State) -> Headline:
        shown = JOURNEY[state]
        failing = agent == "failing" and state not in _FAIL
        tone, shape = ("unknown", "hatched") if failing else (shown.tone, shown.shape)
        return Headline(text, told, "Agent in trouble" if failing else title, shape, tone)

    if failing := counts[State.FAILS]:
        return said(f"{_of(failing, total)} fail{_s(failing)}", f"{failing} failing", State.FAILS)
    if unknown := sum(counts[state] for state in _UNKNOWN):
        text = f"{_of(unknown, total)} {_is(unknown)} not measured"
        return said(text, f"{unknown} not measured", State.NOT_MEASURED)
    if flaky := sum(counts[state] for state in _FLAKY):
        both = " or ".join(JOURNEY[state].word for state in _FLAKY if counts[state])
        worst = next(state for state in _FLAKY if counts[state])
        return said(f"{_of(flaky, total)} {_is(flaky)} {both}", f"{flaky} {both}", worst)
    return _well(counts, said)


def _well(counts: Counter[State], said: Said) -> Headline:
    """Say what is so where nothing is wrong."""
    passing, waiting = counts[State.PASSES], counts[State.WAITS]
    if not counts:
        return said("No journey is loaded", "No journeys", State.SILENT)
    if passing:
        whole = "All " if passing > 1 and passing == counts.total() else ""
        return said(f"{whole}{_journeys(passing)} pass{_es(passing)}", "All pass", State.PASSES)
    if waiting:
        return said("No journey has run yet", "No run yet", State.WAITS)
    if set(counts) == {State.DISABLED}:
        return said("Every journey is disabled", "Disabled", State.DISABLED)
    held = State.PAUSED if counts[State.PAUSED] else State.MAINTENANCE
    word = "paused" if held is State.PAUSED else "in maintenance"
    return said(f"Everything is {word}", word.capitalize(), held)


def _of(number: int, total: int) -> str:
    return _journeys(number) if number == total else f"{number} of {_journeys(total)}"


def _journeys(number: int) -> str:
    return f"{number} journey{'' if number == 1 else 's'}"


def _s(number: int) -> str:
    return "s" if number == 1 else ""


def _es(number: int) -> str:
    return "es" if number == 1 else ""


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
