"""The outline of a walk: what comes again from walk to walk, small enough to be kept of each.

Nothing in it is what a single walk alone has: ids in addresses and in errors are replaced,
queries are left out, and texts are free of the secrets that the walk used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import TypeAdapter

from agent.core.limits import MOST_STEPS, Count, Name, Seconds, first

MOST_OUTLINED = 300
"""Requests that are kept, each with its like."""
MOST_ORIGINS_OUTLINED = 100
MOST_ERRORS_OUTLINED = 50
_MOST_ANSWERS = 8

Asking = Literal["document", "call", "script", "style", "other"]
"""What was asked for: a page; a frame, or data by XHR, ``fetch`` or ``run.api``; a script; a
style; anything else, of which only what failed is kept."""
NO_ANSWER = ""
"""What a request came to that was still open when the walk ended, or that its page gave up."""


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one version of a script from another; what isn't known is empty."""

    name: Name = ""
    """What its address has of hashes and numbers."""
    query: Name = ""
    tag: Name = ""
    """The ``ETag`` that came with it."""
    size: Name = ""
    """The ``Content-Length`` that did."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One or more requests that are alike.

    Pages and calls are alike within one step and on one page, everything else within the walk.
    """

    what: Name
    """Method and address: of the site's own origin the path alone."""
    kind: Asking
    own: bool
    """Whether it went to a first party."""
    step: Count
    """How many steps had begun when the first of them did."""
    page: Name = ""
    """The page, as ``what`` has it, that was shown, or asked for, before."""
    answers: Annotated[tuple[Name, ...], first(_MOST_ANSWERS)] = ()
    """What they came to: ``200``, ``303 /cart`` of a redirect, ``net::ERR_…``, or no answer."""
    seconds: Seconds = 0.0
    """The longest took so long, whole or until the walk ended."""
    version: Version | None = None
    """Of a script or a style."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that no script of the page caught."""

    error: Name
    at: Name = ""
    """The script's address; empty where that isn't known."""


@dataclass(frozen=True, slots=True)
class StepBegun:
    """A step, and how long it took; None where it was not passed."""

    name: Name
    seconds: Seconds | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """What a walk did and met, in the order in which it did."""

    site: Name
    """The address that the walk started from: walks of another one are not compared."""
    steps: Annotated[tuple[StepBegun, ...], first(MOST_STEPS)] = ()
    asked: Annotated[tuple[Asked, ...], first(MOST_OUTLINED)] = ()
    others: Annotated[dict[Name, Name], first(MOST_ORIGINS_OUTLINED)] = field(default_factory=dict)
    """What third parties' origins came to: "" where one answered, else what they failed on."""
    raised: Annotated[tuple[Raised, ...], first(MOST_ERRORS_OUTLINED)] = ()
    console: Annotated[tuple[Name, ...], first(MOST_ERRORS_OUTLINED)] = ()
    """The errors that pages wrote to their console."""
    release: Name = ""
    """Which release said that it answered, where one did."""


OUTLINE: TypeAdapter[Outline] = TypeAdapter(Outline)
