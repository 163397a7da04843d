"""What the template for Argo Rollouts sends."""

from typing import Final

from pydantic import Field

from agent.core.gate import GateOrder
from agent.core.units import parse_duration
from agent.server.adapters.adapter_settings import Canary
from agent.server.adapters.payload import Release
from agent.server.body import Body
from agent.server.gate_body import Lasting, Word

SOURCE: Final = "argo-rollouts"


class Measurement(Body):
    """A verdict that an analysis asks for."""

    site: Word
    measurement: Word
    """What is the same when it is asked again, and another at the next step."""
    release: Release = ""
    journeys: list[Word] = Field(default_factory=list, max_length=100)
    within: Lasting = "10s"

    def order(self, canary: Canary) -> GateOrder:
        """Return what is asked for, where the site's canary answers."""
        return GateOrder(
            site=self.site,
            journeys=tuple(self.journeys),
            release=self.release,
            url=canary.url,
            headers=canary.headers,
            within=parse_duration(self.within),
            source=SOURCE,
        )
