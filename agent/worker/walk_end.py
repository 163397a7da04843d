"""What happens on a walk's pages that ends it, whatever the journey does meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.core.bare_url import bare_url
from agent.worker.browser.challenges import Challenges
from agent.worker.browser.faults import (
    Challenged,
    HttpStatusError,
    PageErrorRaised,
    ProxyRefused,
)
from agent.worker.browser.main_documents import is_main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.async_api import Response

    from agent.core.origins import FirstParty
    from agent.core.source_line import SourceLine
    from agent.worker.browser.page_errors import PageError

_CALLS = frozenset({"fetch", "xhr"})
_PASSED_WITHIN = 3.0
"""Seconds in which a browser may pass a challenge without anybody's help."""
_SHOW = 0.5
"""Seconds for an error page to be painted before the walk ends on it."""


class WalkEnd:
    """Pages that were refused, challenges that nobody passed, and what else a walk is lost by."""

    def __init__(self, site: FirstParty, *, proxied: bool) -> None:
        self._site = site
        self._proxied = proxied
        self.challenges = Challenges()
        self.refusals: dict[int, str] = {}
        """The first main document of each status of 400 or above: "METHOD address"."""
        self.allowed: set[int] = set()
        """Statuses of main documents that the author expects."""
        self.stands_at: Callable[[], SourceLine | None] = lambda: None
        """Says at which of the author's lines the walk stands."""
        self.refused_at: SourceLine | None = None
        """Where it stood when a page first answered, or raised, what nobody expected."""
        self.page_error: PageErrorRaised | None = None
        """The first error in a script of the site's own, where that is to fail the walk."""
        self.popups: tuple[str, SourceLine | None] | None = None
        """What first broke where popups are closed, and where: no fault of the site's."""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails as soon as the walk can't go on."""
        self._pardons: list[Callable[[], None]] = []
        """Whom a page that was refused tells, innermost last, in place of ending the walk."""

    @contextmanager
    def pardoned(self, on_refusal: Callable[[], None]) -> Iterator[None]:
        """Let no page's answer or error meanwhile end the walk; the caller hears of it instead.

        What is lost for good, a page that crashed, ends the walk all the same.
        """
        before, raised, at = dict(self.refusals), self.page_error, self.refused_at
        self.refused_at = None
        self._pardons.append(on_refusal)
        try:
            yield
        finally:
            self._pardons.remove(on_refusal)
            for status in self.refusals.keys() - before.keys():
                del self.refusals[status]
            self.page_error, self.refused_at = raised, at

    def objection(self) -> HttpStatusError | PageErrorRaised | ProxyRefused | None:
        """Return what is to be raised for pages, although the journey itself goes on."""
        return self.refusal() or self.page_error

    def refusal(self) -> HttpStatusError | ProxyRefused | None:
        """Return what is to be raised for a page that answered what nobody expected."""
        for status, what in self.refusals.items():
            if status == 407 and self._proxied:
                return ProxyRefused(f"{what} answered {status}: the proxy wants a sign-in")
            if status not in self.allowed:
                return HttpStatusError(f"{what} answered {status}")
        return None

    def on_answer(self, response: Response) -> None:
        """Note whether a main document, or a call to the site, is challenged as a bot's."""
        request = response.request
        main = is_main(request)
        if not main and (request.resource_type not in _CALLS or not self._site.covers(request.url)):
            return
        what = f"{request.method} {bare_url(request.url)}"
        is_one = self.challenges.see(what, response.status, response.headers)
        if is_one and main and response.status not in self.allowed:
            asyncio.get_running_loop().call_later(_PASSED_WITHIN, self._give_up_on, what)

    def on_refusal(self) -> None:
        """End the walk soon after a page that may not be, once it had time to show itself."""
        for status, what in list(self.refusals.items()):
            if self.challenges.of(what):
                del self.refusals[status]
        refusal = self.refusal()
        if refusal is not None:
            self._refuse(refusal)

    def on_page_error(self, error: PageError) -> None:
        """End the walk soon after an uncaught error, once the page had time to show it."""
        if self.page_error is None:
            self.page_error = PageErrorRaised(f"uncaught error on the page: {error}")
            self._refuse(self.page_error)

    def lose(self, why: Exception) -> None:
        """End the walk; what ended it first is what counts."""
        if not self.lost.done():
            self.lost.set_exception(why)
            self.lost.exception()  # seen: nobody needs to be warned of it later

    def _refuse(self, objection: Exception) -> None:
        self.refused_at = self.refused_at or self.stands_at()
        if self._pardons:
            self._pardons[-1]()
            return
        asyncio.get_running_loop().call_later(_SHOW, self.lose, objection)

    def _give_up_on(self, request: str) -> None:
        """End a walk whose page is challenged still; browsers pass some challenges alone."""
        challenge = self.challenges.of(request)
        if challenge:
            self.lose(Challenged(challenge))
