"""One request of a walk, as it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.outline import NO_ANSWER

if TYPE_CHECKING:
    from agent.core.outline import Asking


@dataclass(slots=True, eq=False)
class Note:
    """A request, and what it came to. Times are seconds, ``began`` on the monotonic clock."""

    method: str
    url: str
    kind: Asking
    own: bool
    step: int
    page: Note | None
    began: float
    answer: str = NO_ANSWER
    location: str = ""
    failure: str = ""
    seconds: float = 0.0
    tag: str = ""
    size: str = ""
