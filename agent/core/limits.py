"""Bounds of what comes from pages and crosses the pipe, whatever a page or a journey put into it.

The worker cuts to them where a text enters; the supervisor takes nothing beyond them. What
they let through can be counted, stored and sent.
"""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from agent.core.errors import Problem
from agent.core.naming import JOURNEY
from agent.core.printable import cut, printable

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

MOST_PAGE_ERRORS = 1_000
"""Uncaught errors of an attempt's pages that are counted."""
MOST_PAGE_ERRORS_KEPT = 50
"""Different ones of them that are kept."""
MOST_HOSTS = 50
"""Hosts of an attempt whose certificate is looked at."""
MOST_RELEASES = 5
"""Releases of a site that answered one attempt, which are kept."""

MOST_NEAR = 5
"""Lines that say what there was instead of that which was not found."""
MOST_ARIA = 200_000
"""Characters that are kept of a page as roles and names."""

NAME_LENGTH = 200
"""Characters of a step's or a span's name that are kept, and of a place in a journey."""
MOST_STEPS = 1_000
"""Steps of an attempt that are kept."""
MOST_SPANS = MOST_STEPS + MOST_REQUEST_SPANS
"""Spans of an attempt that are kept."""
MOST_VITALS = 1_000
"""Web vitals of an attempt that are kept."""
MOST_LOGGED = 1_000
"""Records that the author of a journey may log in a run."""
MOST_ATTRIBUTES = 64
"""Attributes of a span, and fields of a log record, that are kept."""


def _fit(limit: int) -> AfterValidator:
    return AfterValidator(lambda text: cut(printable(text), limit))


def _fitting(problem: Problem) -> Problem:
    where, message = (
        cut(printable(text), MESSAGE_LENGTH) for text in (problem.where, problem.message)
    )
    return Problem(where, message)


def first(count: int) -> AfterValidator:
    """Keep the first ``count`` entries of a table or a tuple."""

    def keep(entries: Any) -> Any:  # noqa: ANN401 - of any element
        return (
            dict(islice(entries.items(), count)) if isinstance(entries, dict) else entries[:count]
        )

    return AfterValidator(keep)


Name = Annotated[str, _fit(NAME_LENGTH)]
Message = Annotated[str, _fit(MESSAGE_LENGTH)]
BeaconAddress = Annotated[str, Field(max_length=BEACON_LENGTH)]
Problems = Annotated[
    list[Problem],
    AfterValidator(lambda problems: [_fitting(problem) for problem in problems]),
]
Authority = Annotated[str, Field(max_length=ADDRESS_LENGTH)]
Label = Annotated[str, Field(max_length=NAME_LENGTH)]
"""A text that means nothing when it is cut: what is longer is refused."""
JourneyName = Annotated[str, Field(pattern=f"^{JOURNEY.pattern}$")]
Integer = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
