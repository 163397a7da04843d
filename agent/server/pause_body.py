"""What ``/api/v1/pause`` and ``/resume`` take."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from agent.core.units import parse_duration
from agent.server.body import Body

_WHICH = "say which: `journeys`, a list of names, globs or owner=NAME, or `all`: true"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of text")
    return text


def _duration(text: str) -> str:
    if parse_duration(text) <= 0:
        raise ValueError("must be longer than 0s")
    return text


def _moment(text: str) -> str:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        told = None
    if told is None or told.tzinfo is None:
        raise ValueError('must be a time with its zone, such as "2026-12-01T03:00:00Z"')
    return text


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_printable),
]
Moment = Annotated[str, AfterValidator(_moment)]
"""A time with its zone, as it was written."""
Selector = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Selectors = Annotated[list[Selector], Field(min_length=1, max_length=1000)]


class ResumeBody(Body):
    """Which journeys are to walk again, and who says so."""

    journeys: Selectors | None = None
    all: bool = False
    who: Line = "somebody, by the API"

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.journeys is None) is not self.all:
            raise ValueError(_WHICH)
        return self


class PauseBody(ResumeBody):
    """Which journeys are to be paused, how, why and until when."""

    reason: Line
    mode: Literal["stop", "silence"] = "stop"
    lasts: Annotated[str, AfterValidator(_duration)] | None = Field(default=None, alias="for")
    until: Moment | None = None
    now: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.lasts is not None and self.until is not None:
            raise ValueError("`for` and `until` both say when it ends: give one of them")
        if self.now and self.mode == "silence":
            raise ValueError("`now` ends what runs, and `silence` walks on: give one of them")
        return self
