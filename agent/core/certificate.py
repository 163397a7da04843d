"""Certificates of first parties: what is known of one, and when its end is near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

LAST_END: Final = 253_402_300_799
"""Unix seconds of the end of the year 9999, as late as a certificate can end."""
_LONGEST_HOST = 300
_TICKET_BEFORE: Final = 21 * 86_400.0
_TICKET_SHARE: Final = 0.25

Host = Annotated[str, Field(min_length=1, max_length=_LONGEST_HOST, pattern=r"^[!-~]+$")]
"""``shop.example.com``, or ``shop.example.com:8443`` where the port isn't HTTPS' own."""
Moment = Annotated[float, Field(ge=0, le=LAST_END, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a host showed: its end, in Unix seconds, and how long it holds in all."""

    host: Host
    ends_at: Moment
    lifetime: Moment

    def is_near(self, now: float) -> bool:
        """Whether somebody should see to it: in its last 21 days, or its last quarter if less."""
        return self.ends_at - now < min(_TICKET_BEFORE, self.lifetime * _TICKET_SHARE)
