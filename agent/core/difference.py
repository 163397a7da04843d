"""What is different in a walk that failed from its journey's last passes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypedDict, cast

ENOUGH = 5
"""Passes by which it is known what is always the same; fewer are said to be few."""

ChangeKind = Literal[
    "release",
    "script",
    "redirect",
    "moved",
    "answer",
    "slow",
    "third_party",
    "page_error",
    "console",
    "missing",
    "new",
    "step",
    "few_passes",
]
"""What is different; a cause stands before what it brings about.

``release``: another release answered. ``script``: a script or a style has another version.
``redirect``: an address leads elsewhere. ``moved``: a page was asked for in another one's place.
``answer``: an answer of another kind, or none. ``slow``: an answer that took far longer.
``third_party``: somebody else's origin that fails, answers otherwise or hangs. ``page_error`` and
``console``: an error that no pass had. ``missing`` and ``new``: a request that is no longer, or
newly, made. ``step``: a step that took far longer. ``few_passes``: there were fewer than five
passes to compare with; it stands last, and only where there is something else.
"""


class ChangeDocument(TypedDict):
    """The public form of one change."""

    kind: ChangeKind
    line: str
    """All of it in one sentence, without a full stop."""
    subject: str
    """What is different: ``GET /cart``, a script's address, an origin, a step, an error."""
    before: str
    """How it was in the passes; empty where there was nothing."""
    now: str
    """How it was in the walk that failed; empty where there was nothing."""
    step: str
    """The step in which it was seen; empty where that is none, or isn't known."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different. The fields are those of its public form."""

    kind: ChangeKind
    line: str
    subject: str = ""
    before: str = ""
    now: str = ""
    step: str = ""

    def document(self) -> ChangeDocument:
        """Return the public form."""
        return cast("ChangeDocument", asdict(self))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a failed walk was compared with, and what was found."""

    passes: int = 0
    """Passes that it was compared with: five at most, 0 where none are known."""
    changes: tuple[Change, ...] = ()
    """The likeliest cause first."""

    @property
    def first_line(self) -> str:
        """The line that names the likeliest cause; "" where nothing is different."""
        return self.changes[0].line if self.changes else ""
