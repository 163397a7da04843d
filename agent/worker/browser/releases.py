"""Which releases of the site answered a walk.

Told by documents of first parties that came over the network in this walk: what a cache or a
service worker answers says what answered once. A document that is not modified says it in that
answer's own header; in its HTML as it was kept, since the server holds just that for current.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from playwright.async_api import Error

from agent.core.limits import MOST_RELEASES, NAME_LENGTH
from agent.core.origins import FirstParty, origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.async_api import Request, Response

    from agent.core.model import Site

_USUAL: Final = (
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
_SENT: Final = ("host", ":authority")
"""What only a request that has left carries: of others the browser shows what it meant to send."""
_MOST_ASKED: Final = 50
"""Documents of a walk that are looked into."""
_MOST_HTML: Final = 1 << 20
"""Bytes of a document beyond which its HTML is not asked for."""
_HEAD: Final = 256 << 10
"""Characters of a document in which its head is looked for."""
_PIECE: Final = 16 << 10
_SETTLE: Final = 0.5
"""Seconds that are waited for at most, once the walk is over."""


class Releases:
    """Notes them as documents are answered.

    Pages count wherever they are, frames where they come from their page's origin or the site's
    own: what another first party shows in a frame has releases of its own. ``calls``: there are no
    documents, since the walk has no browser, and the answers to ``run.api`` count instead.
    """

    def __init__(self, site: Site, fit: Callable[[str, int], str], *, calls: bool) -> None:
        source = site.release
        self._home = origin_of(site.url)
        self._chosen = bool(source.origins)
        self._counted = FirstParty(source.origins or site.first_party)
        self._names = (source.header,) if source.header else _USUAL
        self._meta = source.meta
        self._fit = fit
        self._calls = calls
        self._asking: dict[asyncio.Task[None], str] = {}
        """What each is about to confirm, as far as that is known."""
        self._asked = 0
        self._over = False
        self._found: dict[str, None] = {}

    def on_response(self, response: Response) -> None:
        """Take in what a page's request was answered with."""
        request = response.request
        if self._over or request.resource_type != "document" or response.from_service_worker:
            return
        if self._asked >= _MOST_ASKED or not self._counts(request):
            return
        said = self._said(response.headers)
        if self._meta:
            if not _is_html(response):
                return
        elif not said or said in self._found:
            return
        self._asked += 1
        ask = self._read(response) if self._meta else self._confirm(response, said)
        task = asyncio.create_task(ask, name="release")
        self._asking[task] = said
        task.add_done_callback(self._asking.pop)

    def on_call(self, url: str, headers: Mapping[str, str]) -> None:
        """Take in what a call of ``run.api`` was answered with."""
        if self._calls and self._counted.covers(url):
            self._note(self._said(headers))

    async def settle(self) -> None:
        """Wait for what is still asked for: half a second at most."""
        self._over = True
        if self._asking:
            await asyncio.wait(self._asking, timeout=_SETTLE)
        for task, said in list(self._asking.items()):
            task.cancel()
            self._note(said)

    def collected(self) -> tuple[str, ...]:
        """Return them in the order in which they answered, without secrets."""
        return tuple(dict.fromkeys(self._fit(one, NAME_LENGTH) for one in self._found))

    def _counts(self, request: Request) -> bool:
        if not self._counted.covers(request.url):
            return False
        if self._chosen:
            return True
        try:
            frame = request.frame
            if frame.parent_frame is None:
                return True
            page = origin_of(frame.page.main_frame.url)
        except Error:
            return True  # a popup's first document has no frame yet
        return origin_of(request.url) in {page, self._home}

    async def _confirm(self, response: Response, said: str) -> None:
        """Note what a document's header says, if the header has come with this answer."""
        try:
            if not await _was_sent(response):
                return
            # Of a document that is not modified the browser shows the kept headers besides.
            said = self._said(await response.all_headers())
        except Error:
            pass  # its page is gone: what a fresh browser has kept this walk has asked for
        self._note(said)

    async def _read(self, response: Response) -> None:
        """Note what the HTML of a document says."""
        try:
            # At once: it can't be had any more when the page is left.
            html, sent = await asyncio.gather(response.body(), _was_sent(response))
        except Error:
            return  # its page was left before it was whole
        if not sent:
            return
        text = html[:_HEAD].decode(errors="replace")
        # What is no HTML can take the parser most of a second.
        self._note(await asyncio.to_thread(version_in, text, self._meta))

    def _said(self, headers: Mapping[str, str]) -> str:
        return "" if self._meta else next((headers[n] for n in self._names if headers.get(n)), "")

    def _note(self, said: str) -> None:
        # Some proxies send a header twice.
        parts = {part.strip() for part in said.split(",")}
        one = parts.pop() if len(parts) == 1 else said.strip()
        if one and len(self._found) < MOST_RELEASES:
            self._found[one] = None


async def _was_sent(response: Response) -> bool:
    """Whether a document came over the network, and out of no cache of the browser's."""
    headers = await response.request.all_headers()
    return any(name in headers for name in _SENT)


def _is_html(response: Response) -> bool:
    headers = response.headers
    if "html" not in headers.get("content-type", "").lower() or 300 <= response.status < 400:
        return False
    length = headers.get("content-length", "")
    return not length.isdecimal() or int(length) <= _MOST_HTML


def version_in(html: str, name: str) -> str:
    """Return what the ``<meta>`` of a name says, which is in lower case; "": nothing."""
    head = _Head(name)
    # Of whatever a site calls HTML the parser has its own opinion.
    with suppress(AssertionError):
        head.read(html)
    return head.content


class _Head(HTMLParser):
    """Reads a document as far as the ``<meta>`` that is looked for, or its body."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.content = ""
        """What it says; "" where it isn't there."""
        self._over = False

    def read(self, html: str) -> None:
        """Read as far as that."""
        for start in range(0, len(html), _PIECE):
            self.feed(html[start : start + _PIECE])
            if self._over:
                break

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._over:
            return
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag == "meta" and given.get("name", "").strip().lower() == self._name:
            self.content = given.get("content", "")
        self._over = tag == "body" or bool(self.content)
