"""Notes a walk's requests as they happen, and outlines the walk once it is over.

While the walk goes on no more is done than to note; what secrets there are is known at its end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.core.limits import NAME_LENGTH
from agent.core.origins import origin_of
from agent.core.outline import Asking, Outline, StepBegun
from agent.core.printable import cut
from agent.worker.browser.noted import Note
from agent.worker.browser.outline_writer import OutlineWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agent.worker.browser.page_errors import PageError

_ASKING: Final[Mapping[str, Asking]] = {
    "document": "call",
    "xhr": "call",
    "fetch": "call",
    "api": "call",
    "script": "script",
    "stylesheet": "style",
}
"""What a browser asks for. A document that is a page's own is told apart by whoever tells of it."""
_GIVEN_UP: Final = "net::ERR_ABORTED"
"""What a request comes to whose page goes away meanwhile, as a matter of course."""


@dataclass
class Outliner:
    """Notes one walk. ``covers`` tells its own addresses, ``fit`` makes texts fit to keep."""

    site: str
    covers: Callable[[str], bool]
    fit: Callable[[str, int], str]
    steps_begun: Callable[[], int] = lambda: 0
    _noted: list[Note] = field(default_factory=list)
    _page: Note | None = None

    def began(self, method: str, url: str, kind: str, *, main: bool = False) -> Note:
        """Note a request; ``main``: for a page, and not for one of its frames."""
        asking: Asking = "document" if main else _ASKING.get(kind, "other")
        own = self.covers(url)
        note = Note(method, url, asking, own, self.steps_begun(), self._page, time.monotonic())
        self._noted.append(note)
        if main:
            self._page = note
        return note

    def answered(self, note: Note, status: int, headers: Mapping[str, str]) -> None:
        """Note what a request was answered with."""
        note.answer = str(status)
        if 300 <= status < 400:
            note.location = headers.get("location", "")
        if note.kind in {"script", "style"}:
            note.tag = headers.get("etag", "")
            note.size = headers.get("content-length", "")

    def ended(self, note: Note, failure: str = "") -> None:
        """Note that a request is over, or still open when the walk is."""
        note.seconds = time.monotonic() - note.began
        if not failure.startswith(_GIVEN_UP):
            note.failure = failure

    def dropped(self, note: Note) -> None:
        """Forget a request that the agent itself stopped."""
        self._noted.remove(note)

    def outline(
        self,
        steps: Sequence[StepBegun],
        raised: Iterable[PageError],
        console: Iterable[str],
        releases: Iterable[str],
    ) -> Outline:
        """Return the outline of the walk, which is over; ``releases`` are those that answered."""
        home = origin_of(self.site)
        writer = OutlineWriter(home, self.fit)
        return Outline(
            site=home,
            steps=tuple(steps),
            asked=tuple(writer.asked(self._noted)),
            others=writer.others(self._noted),
            raised=tuple(writer.raised(raised)),
            console=tuple(writer.console(console)),
            release=cut(", ".join(sorted(releases)), NAME_LENGTH),
        )
