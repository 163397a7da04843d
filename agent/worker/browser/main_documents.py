"""What became of pages' own documents: refused by a status, or cut short on their way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from playwright.async_api import Error

from agent.core.bare_url import bare_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Frame, Request

_LEFT: Final = "net::ERR_ABORTED"
"""How a document fails that became a download, or that its page left before it was whole."""


@dataclass(slots=True)
class MainDocuments:
    """Notes them as the traffic hears of them."""

    refusals: dict[int, str]
    """The first main document of each status of 400 or above: "METHOD address"."""
    on_refusal: Callable[[], None]
    """Told of each."""
    _cut_short: dict[Frame | None, str] = field(default_factory=dict)

    @property
    def cut_short(self) -> str:
        """What the browser says of a document that answered and didn't come whole, or "".

        Until its page asks for another one. Nothing else tells: Playwright waits for a load
        event that never comes.
        """
        return next(iter(self._cut_short.values()), "")

    def began(self, request: Request) -> None:
        """Note that a page asks for a document."""
        self._cut_short.pop(_frame_of(request), None)

    def answered(self, request: Request, status: int) -> None:
        """Note how a page's document was answered."""
        if status >= 400:
            self.refusals.setdefault(status, _what(request))
            self.on_refusal()

    def failed(self, request: Request, failure: str) -> None:
        """Note that an answered document didn't come whole, and the browser's word for why."""
        if not failure.startswith(_LEFT):
            told = f"{_what(request)} didn't come whole: {failure}"
            self._cut_short[_frame_of(request)] = told


def is_main(request: Request) -> bool:
    """Whether a request is for a page's own document, and not for a frame's."""
    if request.resource_type != "document":
        return False
    try:
        return request.frame.parent_frame is None
    except Error:
        # A service worker's request has no frame; a popup's first one has none yet.
        return request.service_worker is None and request.is_navigation_request()


def _frame_of(request: Request) -> Frame | None:
    try:
        return request.frame
    except Error:
        return None


def _what(request: Request) -> str:
    return f"{request.method} {bare_url(request.url)}"
