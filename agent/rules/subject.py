"""One journey as its alerts have it: whose it is, where to look, and windows that fit it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from agent.core.results import Result
from agent.core.units import format_duration
from agent.rules import series
from agent.rules.rule import Alert, literal
from agent.rules.series import by, of_environment, on, select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.model import Journey

PAGE: Final = "page"
TICKET: Final = "ticket"

_OF_WHOLE: Final = (series.ENVIRONMENT, series.JOURNEY, series.SITE)
EACH: Final = by((*_OF_WHOLE, series.LOCATION))
WHOLE: Final = by(_OF_WHOLE)
ON_EACH: Final = on((*_OF_WHOLE, series.LOCATION))
ON_WHOLE: Final = on(_OF_WHOLE)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the rules are made for: the agents of one environment.

    ``objective`` is in per cent; ``boundaries`` are the buckets' of the journeys' duration, in
    seconds; ``location`` is where at least one agent is known to walk it, and that agent sends
    its metrics each ``interval`` seconds.
    """

    environment: str
    location: str
    objective: float
    boundaries: Sequence[float]
    interval: float = 15.0
    url: str = ""
    """Where people reach the agent's pages; empty: that isn't said."""

    def of(self, metric: str, **matchers: str) -> str:
        """Write a selector of the environment's series."""
        environment = {series.ENVIRONMENT: of_environment(self.environment)}
        return select(metric, **matchers, **environment)

    @property
    def labels(self) -> dict[str, str]:
        """What every alert says of where it is, whatever the store keeps."""
        return {series.ENVIRONMENT: literal(self.environment)}


@dataclass(frozen=True, slots=True)
class Subject:
    """A journey that alerts are written for."""

    journey: Journey
    watch: Watch

    @property
    def name(self) -> str:
        """The journey's name."""
        return self.journey.name

    @property
    def severity(self) -> str:
        """What its author wants done when it fails."""
        return self.journey.severity or PAGE

    def alert(
        self,
        name: str,
        expr: str,
        severity: str,
        summary: str,
        description: str,
        *,
        wait: str = "",
    ) -> Alert:
        """Write an alert with the journey's owner, runbook and page."""
        labels = {
            **self.watch.labels,
            series.JOURNEY: self.name,
            "severity": literal(severity),
            "owner": literal(self.journey.owner),
        }
        annotations = {"summary": f"{self.name}: {summary}", "description": description}
        if self.journey.runbook:
            annotations["runbook_url"] = literal(self.journey.runbook)
        if self.watch.url:
            annotations["page_url"] = literal(f"{self.watch.url}/journeys/{self.name}")
        return Alert(name, expr, labels, annotations, wait)

    def of(self, metric: str, **matchers: str) -> str:
        """Write a selector of the journey's series."""
        return self.watch.of(metric, **{series.JOURNEY: self.name, **matchers})

    def seconds(self, least: int, runs: int) -> int:
        """Return so many seconds at least, into which so many runs fit."""
        return ceil(max(least, runs * self.journey.interval))

    def window(self, least: int, runs: int) -> str:
        """Write a window of so many seconds."""
        return format_duration(self.seconds(least, runs))

    def evidence(self) -> str:
        """Say where the last failure is to be seen."""
        return "Step, error and screenshot: " + self.history(Result.FAIL)

    def history(self, result: Result) -> str:
        """Say where the last run with a result is to be seen."""
        return (
            f"`footfall status {self.name}`, or "
            f"/api/v1/runs?journey={self.name}&result={result}&limit=1 at the agent."
        )
