"""A line of a journey's code, as errors and people are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.limits import ADDRESS_LENGTH, LINE_LENGTH, Count, Message

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a journey's code. ``file`` begins with the name of the journeys folder."""

    file: Message
    line: Count
    source: Message = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def shown(self) -> str:
        """The line as a person is told of it: ``at journeys/shop.py:17: await page.click("a")``."""
        return f"at {self}: {self.source}" if self.source else f"at {self}"

    def cleaned(self, fit: Callable[[str, int], str]) -> SourceLine:
        """Return it fit to be kept; ``fit`` cleans a text and cuts it to so many characters."""
        file = fit(self.file, ADDRESS_LENGTH)
        return SourceLine(file, self.line, fit(self.source, LINE_LENGTH))
