"""Uncaught errors of pages' scripts: counted, and the first different ones kept.

Each comes all the way from the browser, so after the first thousand the agent stops listening:
what is counted then is the least that there were.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from agent.core.bare_url import bare_url
from agent.core.limits import LINE_LENGTH, MOST_PAGE_ERRORS, MOST_PAGE_ERRORS_KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import BrowserContext, WebError

    from agent.core.results import Party
    from agent.worker.browser.listening import Listeners

_WEB = re.compile(r"(?:blob:)?(?:https?|wss?)://")
_FRAME = re.compile(r"^ {4}at .*$", re.MULTILINE)
_PARTS = re.compile(r"[\s(),]+")
_AUTHORS = re.compile(r"\beval at \w+ \(:\d+:\d+\)|\bUtilityScript\.")
"""A frame of what a journey had evaluated in the page."""
_WITHHELD = "Uncaught "
"""How the browser begins to tell of an error in a script of another origin, of which pages
themselves learn no more than "Script error."."""
_MOST_READ = 20_000
"""Characters of a stack that are looked through."""
_MOST_SCRIPTS = 1_000
_LINE = 300
_LINE_AND_COLUMN = 2


@dataclass(slots=True)
class PageError:
    """An error that no script of the page caught, and how many times it came.

    ``at`` is ``address:line:column`` of the script, or empty where that isn't known.
    """

    error: str
    at: str
    party: Party
    times: int = 1

    def __str__(self) -> str:
        first = self.error.partition("\n")[0]
        return f"{first} at {self.at}" if self.at else first


@dataclass
class PageErrors:
    """Hears of the errors in an attempt's pages, popups, frames and their workers.

    ``covers`` says which addresses are the site's own, ``fit`` makes a text of the page's fit to
    be kept, and ``on_own`` is told of each different error of a script of the site's own.
    """

    covers: Callable[[str], bool]
    fit: Callable[[str, int], str]
    on_own: Callable[[PageError], None]
    counts: Counter[Party] = field(default_factory=Counter)
    _stops: list[Callable[[], None]] = field(default_factory=list)
    _kept: dict[tuple[str, str], PageError] = field(default_factory=dict)
    _parties: dict[str, Party] = field(default_factory=dict)

    def follow(self, context: BrowserContext, listeners: Listeners) -> None:
        """Start listening."""
        if self.counts.total() < MOST_PAGE_ERRORS:
            self._stops.append(listeners.on(context, "weberror", self._on_error))

    def facts(self) -> dict[str, Any]:
        """Return what is kept as JSON-like data."""
        return {
            "page_errors": [asdict(one) for one in self._kept.values()],
            "page_errors_counted": dict(self.counts),
            "page_errors_all": self.counts.total() < MOST_PAGE_ERRORS,
        }

    def kept(self) -> list[PageError]:
        """Return the first different ones."""
        return list(self._kept.values())

    def own(self) -> list[str]:
        """Return the different errors of the site's own scripts, a line each."""
        return [
            self.fit(str(one), _LINE) + (f" ({one.times:,} times)" if one.times > 1 else "")
            for one in self._kept.values()
            if one.party == "first"
        ]

    def _on_error(self, event: WebError) -> None:
        error = event.error
        text, stack = error.message, error.stack or ""
        place = _place(event.location, stack)
        if place is None:
            return
        url, at = place
        name = error.name or ""
        withheld = f"{name}{text}".startswith(_WITHHELD)
        party = self._party(url) if url else self._by_page(event, withheld=withheld)
        self.counts[party] += 1
        if self.counts.total() >= MOST_PAGE_ERRORS:
            while self._stops:
                self._stops.pop()()
        key = text[:LINE_LENGTH], at
        if known := self._kept.get(key):
            known.times += 1
        elif len(self._kept) < MOST_PAGE_ERRORS_KEPT:
            named = (f"{name}: {text}" if name else text).removeprefix(_WITHHELD)
            fitted = self.fit(named, LINE_LENGTH), self.fit(at, LINE_LENGTH)
            self._kept[key] = one = PageError(*fitted, party)
            if party == "first":
                self.on_own(one)

    def _party(self, url: str) -> Party:
        known = self._parties.get(url)
        if known is None:
            known = "first" if self.covers(url.removeprefix("blob:")) else "third"
            if len(self._parties) < _MOST_SCRIPTS:
                self._parties[url] = known
        return known

    def _by_page(self, event: WebError, *, withheld: bool) -> Party:
        """Decide for a script without an address, which stands in the page itself.

        Unless the browser keeps the page from knowing: then it is of another origin.
        """
        if withheld or event.page is None:
            return "third"
        return self._party(event.page.url)


def _place(location: Any, stack: str) -> tuple[str, str] | None:  # noqa: ANN401 - a table of Playwright's
    """Return a script's address, and ``address:line:column``; both empty where they aren't known.

    None: what raised is code that the journey had evaluated in the page.
    """
    url = location["url"]
    if _WEB.match(url):
        return url, f"{bare_url(url)}:{location['line'] + 1}:{location['column'] + 1}"
    for frame in _FRAME.finditer(stack[:_MOST_READ]):
        if _AUTHORS.search(frame[0]):
            return None
        for part in _PARTS.split(frame[0]):
            address, *place = part.rsplit(":", 2)
            if len(place) == _LINE_AND_COLUMN and _WEB.match(address):
                return address, ":".join([bare_url(address), *place])
    return "", ""
