"""The bars of a document: what its hours, days and runs came to, each told in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from agent.server.views.bars import Bar, Drawing, draw
from agent.server.views.vocabulary import BARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.server.documents.briefs import RunLine
    from agent.server.documents.shares import Bar as Word
    from agent.server.documents.shares import StretchDocument

_DRAWN: Final = {
    "pass": "pass",
    "flaky": "flaky",
    "fail": "fail",
    "not_measured": "unknown",
    "unknown": "none",
    "suspended": "rest",
}
"""Under which name a bar of a document is drawn."""
_KEPT: Final = 1024
"""Strips that are drawn once: those of many journeys look alike, and stay so for an hour."""
_SAID: Final = {
    "not_measured": "not measured",
    "unknown": "nothing known",
    "suspended": "paused or maintenance",
}


@dataclass(frozen=True, slots=True)
class Strip:
    """Bars of an overview: drawn, and told to who doesn't see them."""

    drawing: Drawing
    told: str


def of_words(words: Sequence[Word]) -> Strip:
    """Draw a bar for each word."""
    return _strip(tuple(words))


@lru_cache(_KEPT)
def _strip(words: tuple[Word, ...]) -> Strip:
    bars = [Bar({_DRAWN[word]: 1}, word) for word in words]
    return Strip(draw(bars), told(bars))


def of_stretches(stretches: Sequence[StretchDocument], hours: int) -> list[Bar]:
    """Return a bar for each hour or day, from the first of which anything is known."""
    known = next(
        (number for number, one in enumerate(stretches) if one["bar"] != "unknown"), len(stretches)
    )
    return [_of_stretch(one, hours) for one in stretches[min(known, len(stretches) - 1) :]]


def of_runs(runs: Sequence[RunLine]) -> list[Bar]:
    """Return a bar for each run, the newest last, that leads to its page."""
    return [
        Bar(
            {_DRAWN[one["result"]]: 1},
            f"{_moment(one['started_at'])}: {_SAID.get(one['result'], one['result'])}",
            address=f"/runs/{quote(one['run_id'], safe='')}",
        )
        for one in reversed(runs)
    ]


def of_state(state: str) -> Bar:
    """Return a bar of one state, as a legend shows it."""
    return Bar({state: 1}, BARS[state])


def told(bars: Sequence[Bar]) -> str:
    """Say what bars come to, for who doesn't see them."""
    counts = Counter(bar.state for bar in bars)
    return ", ".join(f"{counts[state]} {word}" for state, word in BARS.items() if counts[state])


def _of_stretch(one: StretchDocument, hours: int) -> Bar:
    skipped = sum(one["skipped"].values())
    figures = {
        "passed": one["passed"],
        "flaky": one["flaky"],
        "failed": one["failed"],
        "not measured": one["not_measured"],
        "paused or in maintenance": one["suspended"],
        "skipped": skipped - one["suspended"],
        "slow": one["slow"],
    }
    said = ", ".join(f"{number} {word}" for word, number in figures.items() if number)
    silenced = "; alerts were silenced" if one["silenced"] else ""
    at = datetime.fromisoformat(one["at"])
    text = f"{_named(at, hours)}: {said or 'nothing known'}{silenced}"
    return Bar(_made_of(one), text, over=bool(one["silenced"]))


def _made_of(one: StretchDocument) -> dict[str, float]:
    """Return what a bar is drawn of; where little was measured, what was is not told as all."""
    if one["bar"] in {"unknown", "suspended"}:
        return {_DRAWN[one["bar"]]: 1}
    unmeasured = one["not_measured"] + sum(one["skipped"].values()) - one["suspended"]
    return {
        "fail": one["failed"],
        "flaky": one["flaky"],
        "unknown": unmeasured,
        "pass": one["passed"],
    }


def _named(at: datetime, hours: int) -> str:
    at = at.astimezone(UTC)
    return f"{at:%-d %b}" if hours >= 24 else f"{at:%-d %b %H:%M} UTC"


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%-d %b %H:%M:%S} UTC"
