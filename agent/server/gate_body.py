"""What ``POST /api/v1/gates`` takes."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from agent.core.gate import BASELINE, WITHIN, GateOrder
from agent.core.units import format_duration, parse_duration
from agent.server.body import Body
from agent.server.pause_body import Line

MOST_HEADERS = 10


def _duration(text: str) -> str:
    parse_duration(text)
    return text


Lasting = Annotated[str, StringConstraints(max_length=50), AfterValidator(_duration)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Value = Annotated[str, StringConstraints(max_length=1000)]


class GateBody(Body):
    """A verdict that is asked for. What the configuration allows is looked at afterwards."""

    site: Word
    journeys: list[Word] = Field(default_factory=list, max_length=100)
    release: Line | None = None
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    headers: dict[Word, Value] = Field(default_factory=dict, max_length=MOST_HEADERS)
    within: Lasting = format_duration(WITHIN)
    baseline: Lasting = format_duration(BASELINE)

    def order(self) -> GateOrder:
        """Return what is asked for."""
        return GateOrder(
            site=self.site,
            journeys=tuple(self.journeys),
            release=self.release or "",
            url=self.url or "",
            headers=self.headers,
            within=parse_duration(self.within),
            baseline=parse_duration(self.baseline),
        )
