"""What journeys of a site have in common: how its consent banners and their like are closed."""

from __future__ import annotations

import asyncio
import functools
import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent.core.limits import MESSAGE_LENGTH
from agent.protocol.messages import Logged
from agent.worker.browser.faults import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.async_api import Locator, Page

    from agent.authoring import PopupsDeclaration, Run
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.isolation import Isolation
    from agent.worker.pipe import Pipe
    from agent.worker.walk_end import WalkEnd


class Popups:
    """Has each page of a walk know the handlers that its site declares.

    What breaks in them is not the site's: it is told, and taken for the cause of what the journey
    could not do afterwards.
    """

    def __init__(
        self,
        declared: Sequence[PopupsDeclaration],
        pipe: Pipe,
        code: AuthorCode,
        isolation: Isolation,
        end: WalkEnd,
    ) -> None:
        self._declared = declared
        self._pipe = pipe
        self._code = code
        self._isolation = isolation
        self._end = end
        self._pages: dict[Page, asyncio.Task[None]] = {}

    def install(self, page: Page, run_in: Callable[[Page], Run]) -> asyncio.Task[None]:
        """Begin to make the handlers known to a page, once; ``run_in`` returns a run in it."""
        if page not in self._pages:
            self._pages[page] = asyncio.create_task(self._install(page, run_in), name="popups")
        return self._pages[page]

    def stop(self) -> None:
        """Let go of what is still waited for: the walk is over."""
        for task in self._pages.values():
            task.cancel()

    async def _install(self, page: Page, run_in: Callable[[Page], Run]) -> None:
        self._isolation.enter()
        for one in self._declared:
            add = page.add_locator_handler
            page.add_locator_handler = functools.partial(  # type: ignore[method-assign]
                self._add, add, one.name
            )
            try:
                await one.function(run_in(page))
            except Exception as error:  # noqa: BLE001 - a function of the author's may raise anything
                if not page.is_closed():
                    self._failed(one.name, error)
            finally:
                with suppress(AttributeError):
                    del page.add_locator_handler

    async def _add(
        self,
        add: Callable[..., Any],
        name: str,
        locator: Locator,
        handler: Callable[..., Any],
        **options: Any,  # noqa: ANN401 - as Playwright's
    ) -> None:
        # It is given as many arguments as it takes, which wraps tells of the author's own.
        @functools.wraps(handler)
        async def guarded(*given: Any) -> None:  # noqa: ANN401 - as Playwright's
            try:
                result = handler(*given)
                if inspect.isawaitable(result):
                    await result
            except Exception as error:  # noqa: BLE001 - a handler of the author's may raise anything
                self._failed(name, error)

        await add(locator, guarded, **options)

    def _failed(self, name: str, error: Exception) -> None:
        fit = self._pipe.redactor.fit
        fault = fault_of(error, self._code, fit)
        message = fit(f"@popups {name} failed: {fault.message}", MESSAGE_LENGTH)
        fields = {"popups": name, "error": message.partition("\n")[0], "at": str(fault.place or "")}
        self._pipe.send(Logged("warning", "popups.failed", fields))
        if self._end.popups is None:
            self._end.popups = message, fault.place
