"""Bounds of what comes from pages and crosses the pipe, whatever a page or a journey put into it.

The worker cuts to them where a text enters; the supervisor takes nothing beyond them. What
they let through can be counted, stored and sent.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Nanoseconds = Annotated[int, Field(ge=0, lt=1 << 63)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Time = Annotated[float, Field(ge=0, le=9e9, allow_inf_nan=False)]
"""Unix seconds, up to the end of what nanoseconds of 64 bits can tell."""
TraceId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
SpanId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]

ADDRESS_LENGTH = 2_000
"""Characters of an address that are kept."""
BEACON_LENGTH = 300
"""Characters of a beacon's address and of an origin that are kept: there may be hundreds."""
TITLE_LENGTH = 500
"""Characters of a page's title that are kept."""
LINE_LENGTH = 2_000
"""Characters of a console line, or of what a request failed on, that are kept."""
MESSAGE_LENGTH = 4_000
"""Characters of what a walk ended on, that are kept."""
MOST_LINES = 200
"""Lines that are kept of a page's console, and of requests that failed."""
MOST_BEACONS = 200
"""Beacons of an attempt that are kept with their address; all are counted."""
MOST_ORIGINS = 200
"""Origins of an attempt that are kept."""
MOST_REQUEST_SPANS = 1_000
"""Requests of an attempt that get a span of their own; all are counted."""
MOST_REQUESTS = 5_000
"""Requests of an attempt that are followed, from when on only answers of documents are."""

BeaconAddress = Annotated[str, Field(max_length=BEACON_LENGTH)]
