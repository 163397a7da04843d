"""The pages of a walk as they open, in whichever of its contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.worker.browser.raised import page_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from playwright.async_api import BrowserContext, Page


class WalkPages:
    """Remembers them in their order."""

    def __init__(self) -> None:
        self._pages: list[Page] = []
        self.on_page: Callable[[Page], asyncio.Task[None]] | None = None
        """Told of each page from now on; one that the journey opens is not handed out before."""

    def follow(self, context: BrowserContext) -> None:
        """Have the pages that the journey opens in a context be ready when it gets them."""
        own = context.new_page

        async def new_page() -> Page:
            page = await own()
            if self.on_page is not None:
                await self.on_page(page)
            return page

        context.new_page = new_page  # type: ignore[method-assign]

    def adopt(self, page: Page) -> None:
        """Take note of a page, whoever opened it."""
        self._pages = [*(one for one in self._pages if not one.is_closed()), page]
        if self.on_page is not None:
            self.on_page(page)

    def behind(self, target: object) -> Page | None:
        """Return the page that a call was made in; None where it is in none that is open."""
        inner = page_of(target)
        found = (one for one in self._pages if one._impl_obj is inner)  # noqa: SLF001 - no public word
        return next((one for one in found if not one.is_closed()), None)

    def last(self) -> Page | None:
        """Return the page that was opened last, of those that are open."""
        return next((one for one in reversed(self._pages) if not one.is_closed()), None)
