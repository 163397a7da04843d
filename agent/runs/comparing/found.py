"""One difference that was found, and how likely it is to be the cause of the others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.difference import Change


class Rank(IntEnum):
    """What explains the rest stands first."""

    RELEASE = auto()
    SERVER = auto()
    """The site's own servers lead elsewhere, break or hang in the step that failed."""
    SCRIPT = auto()
    """The site's own scripts, and others that raised an error too."""
    SITE = auto()
    """Other answers of the site's own, which its scripts may have brought about."""
    THIRD_PARTY = auto()
    PAGE_ERROR = auto()
    CONSOLE = auto()
    REQUEST = auto()
    """What was not asked for, or newly."""
    LOOKS = auto()
    """Styles, pictures, and scripts of others that raised nothing."""
    NOT_REACHED = auto()
    """The page that was not asked for, since the walk failed before it."""
    STEP = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """A difference. Of one rank the earlier stands first, by the order in the walk."""

    rank: Rank
    change: Change
