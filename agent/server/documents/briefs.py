"""A run in short: what leads to its cause, or its line in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from agent.server.documents.replicas import MadeByDocument


class SourceLineDocument(TypedDict):
    """A line of the author's code."""

    file: str
    line: int
    source: str


class TooSlowDocument(TypedDict):
    """What of a pass was above its limit; ``step`` is None for the walk as a whole."""

    step: str | None
    limit: float
    seconds: float


class RunInShort(TypedDict):
    """What is told of a run wherever one is named."""

    run_id: str
    result: str
    scheduled_at: str | None
    started_at: str
    duration: float
    error_type: str | None
    error: str | None
    """In a list its first line."""
    step: str | None


class BriefDocument(RunInShort):
    """Of a run what leads to its cause."""

    place: SourceLineDocument | None
    slow: list[TooSlowDocument]
    trace_id: str
    screenshot: str | None
    """Its address."""
    artifacts: list[str]
    links: dict[str, str]
    """The address of each artifact."""
    made_by: NotRequired[MadeByDocument]
    """Of a run that another replica made: then there are no artifacts here."""


class RunLine(RunInShort):
    """A run of a list."""

    closer: bool
    """Whether it was walked between the slots of a journey that fails: it counts for no figure."""
    slow: bool
    made_by: NotRequired[str]
    """The name of the replica that made it, where that is another one."""
