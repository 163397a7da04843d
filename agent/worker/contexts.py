"""Each context of a walk is like the first: the journey's own, and those that it opens besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.worker.browser.context import context_options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import Browser, BrowserContext, Page

    from agent.core.proxies import Proxies
    from agent.worker.browser.launch import Launcher


class Contexts:
    """Takes ``new_context`` and ``new_page`` of a browser over.

    What they open has the site's address, the agent's user agent and proxy, and is made ready
    by ``prepare``.
    """

    def __init__(
        self,
        browser: Browser,
        launcher: Launcher,
        site: str,
        proxies: Proxies | None,
        prepare: Callable[[BrowserContext], Awaitable[None]],
    ) -> None:
        self._open = browser.new_context
        self._launcher = launcher
        self._site = site
        self._proxies = proxies
        self._prepare = prepare
        browser.new_context = self.new  # type: ignore[method-assign]
        browser.new_page = self._new_page  # type: ignore[method-assign]

    async def new(self, **options: Any) -> BrowserContext:  # noqa: ANN401 - as Playwright's
        """Open a context; it takes Playwright's options, and ``device``.

        Raises:
            Error, TypeError: the options are not understood.

        """
        made = context_options(
            options,
            self._launcher.playwright,
            self._launcher.user_agent,
            self._site,
            self._proxies,
        )
        context = await self._open(**{"base_url": self._site, **made})
        await self._prepare(context)
        return context

    async def _new_page(self, **options: Any) -> Page:  # noqa: ANN401 - as Playwright's
        return await (await self.new(**options)).new_page()
