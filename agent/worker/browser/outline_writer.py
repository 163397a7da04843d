"""Writes down what was noted of a walk, without ids and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from agent.core.bare_url import bare_url
from agent.core.limits import ADDRESS_LENGTH, LINE_LENGTH, NAME_LENGTH
from agent.core.origins import origin_of, parse
from agent.core.outline import (
    MOST_ERRORS_OUTLINED,
    MOST_ORIGINS_OUTLINED,
    MOST_OUTLINED,
    Asked,
    Asking,
    Raised,
    Version,
)
from agent.core.printable import cut
from agent.worker.browser import recurring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from agent.worker.browser.noted import Note
    from agent.worker.browser.page_errors import PageError

_ERROR: Final = "error: "
_NOT_LOADED: Final = "error: Failed to load resource:"
"""How the browser complains of an answer, of which the requests tell more."""


class OutlineWriter:
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

    def others(self, noted: Iterable[Note]) -> dict[str, str]:
        """Return what third parties came to, by origin: "" where one request did well."""
        found: dict[str, str] = {}
        for note in noted:
            origin = "" if note.own else origin_of(note.url)
            if not origin or not (_failed(note) or note.answer):
                continue
            kept = self._fit(origin, NAME_LENGTH)
            if kept in found or len(found) < MOST_ORIGINS_OUTLINED:
                bad = self._answer(note) if _failed(note) else ""
                found[kept] = bad and found.get(kept, bad)
        return found

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
