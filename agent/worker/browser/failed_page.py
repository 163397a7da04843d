"""Which of a journey's pages a failure is about: that is the one to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.worker.browser.raised import call_of, first_of, page_of

if TYPE_CHECKING:
    from playwright.async_api import Page


def failed_page(error: BaseException | None, first: Page) -> Page:
    """Return the page on which the call that raised was made, in any context of the browser.

    Where that can't be told it is the journey's ``first`` page; where that one is closed, the
    one opened last.
    """
    browser = first.context.browser
    contexts = browser.contexts if browser is not None else [first.context]
    pages = [page for context in contexts for page in context.pages]
    call = call_of(first_of(error)) if error is not None else None
    if call is not None:
        meant = page_of(call.target)
        for page in pages:
            if page._impl_obj is meant:  # noqa: SLF001 - what an error knows is not public
                return page
    return pages[-1] if first.is_closed() and pages else first
