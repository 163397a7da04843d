"""Each context of a walk is like the first: the journey's own, and those that it opens besides."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from agent.worker.browser.context import context_options
from agent.worker.browser.faults import BadContext
from agent.worker.variants import over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from playwright.async_api import Browser, BrowserContext, Page

    from agent.core.model import Journey
    from agent.core.proxies import Proxies
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.recorder import Recorder


class Contexts:
    """Takes ``new_context`` and ``new_page`` of a browser over.

    What they open has the site's address, the agent's user agent and proxy, and is made ready
    by ``prepare``.
    """

    def __init__(
        self,
        browser: Browser,
        launcher: Launcher,
        journey: Journey,
        proxies: Proxies | None,
        prepare: Callable[[BrowserContext], Awaitable[None]],
    ) -> None:
        self._browser = browser
        self._open = browser.new_context
        self._launcher = launcher
        self._journey = journey
        self._proxies = proxies
        self._prepare = prepare
        self.recorder: Recorder | None = None
        """Records what the journey opens besides, where its own is recorded."""
        browser.new_context = self._new  # type: ignore[method-assign]
        browser.new_page = self._new_page  # type: ignore[method-assign]

    async def first(self) -> BrowserContext:
        """Open the journey's own, with the options that it declares.

        Raises:
            BadContext: these are not understood.

        """
        try:
            return await self._new(**self._journey.context)
        except (Error, TypeError) as error:
            if not self._journey.context or not self._browser.is_connected():
                raise
            raise bad_context(self._journey, error) from error

    @asynccontextmanager
    async def another(self, options: dict[str, Any]) -> AsyncIterator[BrowserContext]:
        """Open one for as long as the caller is inside; ``options`` stand above the declared ones.

        Raises:
            Error, TypeError: they are not understood.

        """
        context = await self._new(**over(self._journey.context, options))
        yield context
        # Where the journey breaks it stays open: its page is the one to take a picture of.
        if self.recorder is not None:
            await self.recorder.leave(context)
        with suppress(Error):
            await context.close()

    async def _new(self, **options: Any) -> BrowserContext:  # noqa: ANN401 - as Playwright's
        url = self._journey.site.url
        playwright, user_agent = self._launcher.playwright, self._launcher.user_agent
        made = context_options(options, playwright, user_agent, url, self._proxies)
        context = await self._open(**{"base_url": url, **made})
        await self._prepare(context)
        if self.recorder is not None:
            await self.recorder.follow(context)
        return context

    async def _new_page(self, **options: Any) -> Page:  # noqa: ANN401 - as Playwright's
        return await (await self._new(**options)).new_page()


def bad_context(journey: Journey, error: Exception) -> BadContext:
    """Return what is raised for options of a journey's that make no context."""
    # Its names only: a value may be a password.
    names = ", ".join(journey.context)
    return BadContext(f"the journey's context ({names}) is not understood: {error}")
