"""Tables: a row for each set of labels, a column for each query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.grafana.source.panel import Json, Meanings, Panel, Query, Steps, thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Column:
    """One figure of every row of a table."""

    title: str
    expr: str
    unit: str = "short"
    steps: Steps = ()
    states: Meanings = ()
    decimals: int | None = None

    def properties(self) -> Iterator[Json]:
        """Yield how this column is shown."""
        yield {"id": "unit", "value": self.unit}
        if self.decimals is not None:
            yield {"id": "decimals", "value": self.decimals}
        if self.states:
            yield {"id": "mappings", "value": list(self.states)}
        if self.steps or self.states:
            yield {"id": "thresholds", "value": thresholds(self.steps)}
            yield {"id": "custom.cellOptions", "value": {"type": "color-background"}}


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """A row for each set of the labels ``by``; a click on the first one follows ``link``."""

    kind = "table"
    instant = True
    width: int = 24
    queries: Sequence[Query] = field(init=False)
    by: Mapping[str, str]
    columns: Sequence[Column]

    def __post_init__(self) -> None:
        object.__setattr__(self, "queries", [Query(column.expr) for column in self.columns])

    def _target(self, letter: str, query: Query) -> Json:
        return {**super()._target(letter, query), "format": "table"}

    def _defaults(self) -> Json:
        return {
            **super()._defaults(),
            "color": {"mode": "thresholds"},
            "links": [],
            "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True},
        }

    def _overrides(self) -> Iterator[Json]:
        for column in self.columns:
            yield {
                "matcher": {"id": "byName", "options": column.title},
                "properties": list(column.properties()),
            }
        if self.link:
            link = {"title": self.link[0], "url": self.link[1]}
            yield {
                "matcher": {"id": "byName", "options": next(iter(self.by.values()))},
                "properties": [{"id": "links", "value": [link]}],
            }

    def _options(self) -> Json:
        return {"cellHeight": "sm", "showHeader": True}

    def _more(self) -> Json:
        letters = (chr(ord("A") + number) for number in range(len(self.columns)))
        # A single query's value has no letter.
        values = [f"Value #{letter}" if len(self.columns) > 1 else "Value" for letter in letters]
        names = {**self.by, **dict(zip(values, (c.title for c in self.columns), strict=True))}
        return {
            "transformations": [
                {"id": "merge", "options": {}},
                {
                    "id": "organize",
                    "options": {
                        "excludeByName": {"Time": True},
                        "indexByName": {name: place for place, name in enumerate(names)},
                        "renameByName": names,
                    },
                },
            ],
        }
