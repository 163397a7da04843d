"""Notes a walk's requests as they happen, and outlines the walk once it is over.

While the walk goes on no more is done than to note; what secrets there are is known at its end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from agent.core.bare_url import bare_url
from agent.core.limits import ADDRESS_LENGTH, LINE_LENGTH, NAME_LENGTH
from agent.core.origins import origin_of, parse
from agent.core.outline import (
    MOST_ERRORS_OUTLINED,
    MOST_ORIGINS_OUTLINED,
    MOST_OUTLINED,
    NO_ANSWER,
    Asked,
    Asking,
    Outline,
    Raised,
    StepBegun,
    Version,
)
from agent.core.printable import cut
from agent.worker.browser import recurring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
_RELEASES: Final = (
    "x-release",
    "x-release-id",
    "x-version",
    "x-app-version",
    "x-application-version",
    "x-build",
    "x-build-id",
    "x-build-number",
    "x-revision",
    "x-git-commit",
    "x-git-sha",
    "x-commit",
    "x-commit-sha",
    "x-deployment-id",
)
"""Headers in which sites are used to say which release answers."""
_ERROR: Final = "error: "
_NOT_LOADED: Final = "error: Failed to load resource:"
"""How the browser complains of an answer, of which the requests tell more."""
_MOST_RELEASES: Final = 5


@dataclass(slots=True, eq=False)
class Note:
    """One request, as it was seen."""

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


@dataclass
class Outliner:
    """Notes one walk. ``covers`` tells the site's own addresses, ``fit`` makes a text fit to keep.

    ``release`` is the header in which the site says which release answers; "": one of those that
    are usual.
    """

    site: str
    covers: Callable[[str], bool]
    fit: Callable[[str, int], str]
    release: str = ""
    steps_begun: Callable[[], int] = lambda: 0
    _noted: list[Note] = field(default_factory=list)
    _page: Note | None = None
    _releases: dict[str, None] = field(default_factory=dict)

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
        if note.own and note.kind == "document":
            names = (self.release.lower(),) if self.release else _RELEASES
            said = next((headers[name] for name in names if headers.get(name)), "")
            if said and len(self._releases) < _MOST_RELEASES:
                self._releases[said] = None

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
    ) -> Outline:
        """Return the outline of the walk, which is over."""
        home = origin_of(self.site)
        writer = _Writer(home, self.fit)
        return Outline(
            site=home,
            steps=tuple(steps),
            asked=tuple(writer.asked(self._noted)),
            others=_others(self._noted),
            raised=tuple(writer.raised(raised)),
            console=tuple(writer.console(console)),
            release=self.fit(", ".join(sorted(self._releases)), NAME_LENGTH),
        )


class _Writer:
    """Writes down what was noted, without ids and secrets."""

    def __init__(self, home: str, fit: Callable[[str, int], str]) -> None:
        self._home = home
        self._fit = fit
        self._known: dict[tuple[str, str, Asking], tuple[str, str]] = {}

    def asked(self, noted: Sequence[Note]) -> Iterator[Asked]:
        """Yield requests that are alike as one, the first of them first."""
        alike: dict[tuple[str, int, str], list[Note]] = {}
        for note in noted:
            if note.kind == "other" and not _failed(note):
                continue
            what, _ = self._what(note)
            once = note.kind not in {"document", "call"}
            key = (what, 0, "") if once else (what, note.step, self._page_of(note))
            if key in alike or len(alike) < MOST_OUTLINED:
                alike.setdefault(key, []).append(note)
        for (what, *_), notes in alike.items():
            first = notes[0]
            yield Asked(
                what=what,
                kind=first.kind,
                own=first.own,
                step=first.step,
                page=self._page_of(first),
                answers=tuple(dict.fromkeys(map(self._answer, notes))),
                seconds=round(max(note.seconds for note in notes), 2),
                version=self._version(first),
            )

    def raised(self, errors: Iterable[PageError]) -> Iterator[Raised]:
        """Yield the errors that nothing caught, each once."""
        found: dict[Raised, None] = {}
        for one in errors:
            url = one.at.rsplit(":", 2)[0]
            at = recurring.script(self._clean(url), self._home)[0] if url else ""
            found[Raised(self._text(one.error), cut(at, NAME_LENGTH))] = None
        yield from list(found)[:MOST_ERRORS_OUTLINED]

    def console(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the errors in the console, each once."""
        errors = (
            self._text(line.removeprefix(_ERROR))
            for line in lines
            if line.startswith(_ERROR) and not line.startswith(_NOT_LOADED)
        )
        yield from list(dict.fromkeys(errors))[:MOST_ERRORS_OUTLINED]

    def _what(self, note: Note) -> tuple[str, str]:
        """Return method and address, and what a script's address has of versions."""
        key = note.method, note.url, note.kind
        if key not in self._known:
            url = self._clean(note.url)
            name = ""
            if note.kind in {"script", "style"}:
                path, name = recurring.script(url, self._home)
            else:
                path = recurring.address(url, self._home)
            self._known[key] = cut(f"{note.method} {path}", NAME_LENGTH), name
        return self._known[key]

    def _page_of(self, note: Note) -> str:
        return self._what(note.page)[0] if note.page else ""

    def _answer(self, note: Note) -> str:
        if note.failure:
            return self._fit(note.failure, NAME_LENGTH)
        if not note.location:
            return note.answer
        try:
            target = urljoin(note.url, note.location)
        except ValueError:
            return note.answer
        there = recurring.address(self._clean(target), self._home)
        return cut(f"{note.answer} {there}", NAME_LENGTH)

    def _version(self, note: Note) -> Version | None:
        if note.kind not in {"script", "style"}:
            return None
        query = parse(self._clean(note.url)).query
        texts = (self._what(note)[1], query, note.tag, "" if note.tag else note.size)
        return Version(*(self._fit(text, NAME_LENGTH) for text in texts))

    def _text(self, said: str) -> str:
        return cut(recurring.text(self._fit(said, LINE_LENGTH), self._home), NAME_LENGTH)

    def _clean(self, url: str) -> str:
        return self._fit(bare_url(url), ADDRESS_LENGTH)


def _failed(note: Note) -> bool:
    return bool(note.failure) or note.answer >= "400"


def _others(noted: Iterable[Note]) -> dict[str, str]:
    """Return what third parties came to, by origin: "" where one request of theirs did well."""
    found: dict[str, str] = {}
    for note in noted:
        if note.own or not (_failed(note) or note.answer):
            continue
        origin = origin_of(note.url)
        if origin and (origin in found or len(found) < MOST_ORIGINS_OUTLINED):
            bad = (note.failure or note.answer) if _failed(note) else ""
            found[origin] = bad and found.get(origin, bad)
    return found
