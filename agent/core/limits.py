"""Bounds of what crosses the pipe from a worker, whose journey may have put anything into it.

What they let through can be counted, stored and sent.
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
