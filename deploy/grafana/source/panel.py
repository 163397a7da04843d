"""What every panel has, as Grafana reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Json: TypeAlias = dict[str, Any]

SOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
Meanings: TypeAlias = "tuple[Json, ...]"
"""Which values are shown as words."""

VERDICTS: Final[Meanings] = (
    {
        "type": "value",
        "options": {
            "0": {"text": "failing", "color": "red", "index": 0},
            "1": {"text": "up", "color": "green", "index": 1},
        },
    },
    {
        "type": "special",
        "options": {"match": "null", "result": {"text": "no verdict", "color": "purple"}},
    },
)
SUSPENSIONS: Final[Meanings] = (
    {
        "type": "value",
        "options": {
            "0": {"text": "watched", "color": "transparent", "index": 0},
            "1": {"text": "suspended", "color": "blue", "index": 1},
        },
    },
)
TAKEN_UP: Final[Meanings] = (
    {
        "type": "value",
        "options": {
            "0": {"text": "refused", "color": "red", "index": 0},
            "1": {"text": "in force", "color": "green", "index": 1},
        },
    },
)

Steps: TypeAlias = "Sequence[tuple[float, str]]"
"""Where a colour begins, lowest first; below the first all is green."""


@dataclass(frozen=True)
class Query:
    """A question to the data source; ``legend`` names what comes back."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What every panel has.

    ``every`` is the shortest distance between two points: runs are rare beside exports, and
    a window without a run has nothing to say. ``link`` is where a click on a value leads,
    ``none`` what is shown where there is no value.
    """

    title: str
    description: str
    queries: Sequence[Query]
    unit: str = "short"
    width: int = 12
    height: int = 8
    every: str = ""
    steps: Steps = ()
    states: Meanings = ()
    decimals: int | None = None
    none: str = ""
    link: tuple[str, str] | None = None

    kind = ""
    instant = False

    def document(self) -> Json:
        """Return the panel without its place."""
        return {
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": SOURCE,
            **({"interval": self.every} if self.every else {}),
            "targets": [
                self._target(chr(ord("A") + number), query)
                for number, query in enumerate(self.queries)
            ],
            "fieldConfig": {"defaults": self._defaults(), "overrides": list(self._overrides())},
            "options": self._options(),
            **self._more(),
        }

    def _target(self, letter: str, query: Query) -> Json:
        return {
            "refId": letter,
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "range": not self.instant,
            "instant": self.instant,
        }

    def _defaults(self) -> Json:
        links = [{"title": self.link[0], "url": self.link[1]}] if self.link else []
        return {
            "unit": self.unit,
            **({"decimals": self.decimals} if self.decimals is not None else {}),
            **({"noValue": self.none} if self.none else {}),
            "color": self._colour(),
            "thresholds": thresholds(self.steps),
            "mappings": list(self.states),
            "links": links,
        }

    def _colour(self) -> Json:
        if self.steps or self.states:
            return {"mode": "thresholds"}
        return {"mode": "fixed", "fixedColor": "text"}

    def _overrides(self) -> Iterator[Json]:
        yield from ()

    def _options(self) -> Json:
        return {}

    def _more(self) -> Json:
        return {}


def thresholds(steps: Steps) -> Json:
    """Return the colours by value."""
    first = [] if steps and steps[0][0] == float("-inf") else [{"color": "green", "value": None}]
    rest = [
        {"color": colour, "value": None if value == float("-inf") else value}
        for value, colour in steps
    ]
    return {"mode": "absolute", "steps": [*first, *rest]}
