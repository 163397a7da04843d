"""What keeps journeys from being walked, or from alerting."""

from __future__ import annotations

from typing import TypedDict


class SuspensionDocument(TypedDict):
    """What suspends a journey, or did; ``over`` where alerts alone still wait.

    ``cause`` is pause or maintenance, ``mode`` stop or silence.
    """

    cause: str
    mode: str
    reason: str
    who: str
    since: str
    until: str | None
    over: bool


class PauseDocument(TypedDict):
    """A pause; ``journeys`` is None where it is of all."""

    id: str
    journeys: list[str] | None
    resumed: list[str]
    mode: str
    reason: str
    who: str
    since: str
    until: str | None


class WindowDocument(TypedDict):
    """The turn of a maintenance window that ``holds``, or comes next."""

    journeys: list[str]
    mode: str
    reason: str
    who: str
    since: str
    until: str
    holds: bool
    covers: list[str]
    """Names of the journeys that are loaded and that it suspends."""
