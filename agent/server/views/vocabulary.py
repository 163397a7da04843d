"""How a state is shown everywhere: a word, a shape, and only then a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.core.standing import State


@dataclass(frozen=True, slots=True)
class Shown:
    """A state as people see it.

    ``shape`` names a drawing of ``templates/shapes.svg``, ``tone`` a class of ``states.css``.
    """

    word: str
    shape: str
    tone: str


_FAIL: Final = "fail"
_FLAKY: Final = "flaky"
_PASS: Final = "pass"  # noqa: S105 - a verdict, not a password
_UNKNOWN: Final = "unknown"
_REST: Final = "rest"

JOURNEY: Final = {
    State.FAILS: Shown("fails", "cross", _FAIL),
    State.NOT_MEASURED: Shown("not measured", "hatched", _UNKNOWN),
    State.SILENT: Shown("no verdict", "question", _UNKNOWN),
    State.SLOW: Shown("slow", "clock", _FLAKY),
    State.WAITS: Shown("no run yet", "ring", _REST),
    State.FLAKY: Shown("flaky", "half", _FLAKY),
    State.PASSES: Shown("passes", "tick", _PASS),
    State.PAUSED: Shown("paused", "pause", _REST),
    State.MAINTENANCE: Shown("maintenance", "diamond", _REST),
    State.DISABLED: Shown("disabled", "dash", _REST),
}
"""How a journey stands."""

RESULT: Final = {
    "pass": Shown("pass", "tick", _PASS),
    "flaky": Shown("flaky", "half", _FLAKY),
    "fail": Shown("fail", "cross", _FAIL),
    "not_measured": Shown("not measured", "hatched", _UNKNOWN),
    "skipped": Shown("not reached", "dash", _REST),
    "running": Shown("running", "turning", "running"),
    "waiting": Shown("waits for a worker", "ring", _REST),
}
"""What a run, an attempt or a step came to, or how far it is."""

COUNTED: Final = {
    **{state: shown.word for state, shown in JOURNEY.items()},
    State.FAILS: "failing",
    State.WAITS: "without a run yet",
    State.PASSES: "passing",
}
"""The same after a number of journeys."""

AGENT: Final = Shown("the agent", "hatched", _UNKNOWN)
"""The agent's own trouble, which is never told as the target's."""

MOMENT: Final = {
    "fail": Shown("fails", "cross", _FAIL),
    "down": Shown("down", "cross", _FAIL),
    "pass": Shown("passes again", "tick", _PASS),
    "gone": Shown("no longer walked", "dash", _REST),
    "suspended": Shown("suspended", "pause", _REST),
    "resumed": Shown("resumed", "ring", _REST),
    "note": Shown("note", "note", _REST),
    "deploy": Shown("deployed", "deploy", _REST),
    "gate": Shown("gate", "deploy", _REST),
}
"""What an incident's time line is made of."""

VERDICT: Final = {
    "pass": Shown("pass", "tick", _PASS),
    "fail": Shown("fail", "cross", _FAIL),
    "error": Shown("no verdict", "question", _UNKNOWN),
    "pending": Shown("pending", "turning", "running"),
}
"""What a release gate came to."""

BARS: Final = {
    "pass": "pass",
    "flaky": "flaky",
    "fail": "fail",
    "unknown": "not measured",
    "none": "nothing known",
    "rest": "paused or maintenance",
}
"""What the bars mean, by the names that they are drawn under."""
