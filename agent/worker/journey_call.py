"""The author's function, called under an attempt's deadline."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.authoring import Run, RunSite
from agent.core.first_of import first_of
from agent.worker.browser.faults import AttemptTimeout
from agent.worker.browser.raised import take_untold
from agent.worker.calls import CallsRun
from agent.worker.forgotten import Forgotten
from agent.worker.pending import PendingCall
from agent.worker.popups import Popups

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

    from agent.protocol.messages import Walk
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.inspector import Inspector
    from agent.worker.isolation import Isolation
    from agent.worker.loader import LoadedJourney
    from agent.worker.page_setup import OpenPage, PageSetup
    from agent.worker.pending import Pending
    from agent.worker.pipe import Pipe
    from agent.worker.run_host import RunHost
    from agent.worker.steps import Steps

_CANCEL_WAIT = 0.3
_LAST_WORDS = 0.1
"""Seconds to wait for the news of a death, after it may have broken the journey."""
_OF_A_DEATH = 2.0
"""And after what a death breaks most often: on a busy machine its news takes its time."""
_DEAD = re.compile("has been closed|crashed|Connection closed|net::ERR_ABORTED")


class JourneyCall:
    """One call of one journey."""

    def __init__(
        self,
        walk: Walk,
        journey: LoadedJourney,
        isolation: Isolation,
        code: AuthorCode,
        pipe: Pipe,
        setup: PageSetup,
        steps: Steps,
        inspector: Inspector | None,
    ) -> None:
        self._walk = walk
        self._journey = journey
        self._isolation = isolation
        self._code = code
        self._setup = setup
        self._steps = steps
        self._inspector = inspector
        self._page: Page | None = None
        self._popups = Popups(journey.popups, pipe, code, isolation, setup.end)
        self.forgotten = Forgotten(code)
        """Sees calls that were made in vain."""
        self.waited: Pending | None = None
        """What it waited for when something else ended it."""
        self.fit = True
        """Whether nothing of it goes on."""

    async def run(self, opened: OpenPage, host: RunHost) -> BaseException | None:
        """Call it under the deadline; return what it raised, or what lies behind that."""
        run = (Run if self._walk.journey.browser else CallsRun)(
            page=cast("Page", opened.page),
            context=cast("BrowserContext", opened.context),
            api=opened.api,
            params=self._params(),
            log=host.log,
            run_id=self._walk.run_id,
            site=RunSite(self._walk.journey.site.name, self._walk.journey.site.url),
            host=host,
        )

        def on_page(page: Page) -> asyncio.Task[None]:
            return self._popups.install(page, partial(_run_in, run))

        if self._journey.popups:
            self._setup.pages.on_page = on_page
        # Under an inspector nothing but the author's calls is stepped through.
        self._page = None if self._inspector else opened.page
        self.forgotten.begin()
        task = asyncio.create_task(self._guarded(run), name="journey")
        pending = PendingCall(task, self._isolation.tasks, self._code)
        self._setup.end.stands_at = pending.place
        timeout = self._walk.journey.timeout
        lost = self._setup.end.lost
        async with AsyncExitStack() as stack:
            if self._inspector is not None:
                watching = self._inspector.watching(pending, opened.context)
                await stack.enter_async_context(watching)
            await first_of(task, lost, limit=timeout)
        self._popups.stop()
        if task.done():
            broke = task.result()
            if isinstance(broke, (Error, AssertionError)):
                # What the death of a page or a browser breaks is heard before the death is.
                wait = _OF_A_DEATH if _DEAD.search(str(broke)) else _LAST_WORDS
                await asyncio.wait({lost}, timeout=wait)
            pending.stop()
            return self._behind(broke, opened)
        where = f" in step {self._steps.path!r}" if self._steps.path else ""
        waited = pending.stop()
        self.waited = waited
        late: BaseException = AttemptTimeout(f"not done after {timeout:g} s{where}: {waited}")
        if lost.done():
            late = lost.exception() or late
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_WAIT)
        # A journey that swallows its cancellation lives on; its process must not.
        self.fit = task.done()
        return self._behind(late, opened)

    def _behind(self, failure: BaseException | None, opened: OpenPage) -> BaseException | None:
        """Return what lies behind a time-out: a route or listener of the journey's that broke.

        What it should have answered stays unanswered, and would be told as the site's fault.
        """
        untold = take_untold(opened.api)
        waited = isinstance(failure, PlaywrightTimeout | AttemptTimeout)
        return untold if waited and untold and self._code.raised_at(untold) else failure

    def _params(self) -> dict[str, Any]:
        """Return the journey's parameters; one that its file computes is as new as its import."""
        walked = self._walk.journey
        fresh = self._journey.params.items()
        return walked.params | {k: v for k, v in fresh if k not in walked.configured_params}

    async def _guarded(self, run: Run) -> BaseException | None:
        self._isolation.enter()
        # Returned, not raised: SystemExit out of a task would end the loop itself.
        try:
            if self._setup.pages.on_page is not None:
                await self._setup.pages.on_page(run.page)
            await self._journey.declaration.function(run)
            if self._steps.ended:
                self._check_pages()
            else:
                _, objection = await self.before_pass()
                return objection
        except BaseException as error:  # noqa: BLE001 - a journey may raise anything
            return error
        return None

    async def before_pass(self) -> tuple[dict[str, float], BaseException | None]:
        """Before a step passes: no unexpected status, and the vitals of what is shown.

        Returns:
            The vitals, for the span that is open, and what there is to object all the same.

        """
        self._check_pages()
        if self._page is None:
            return {}, None
        seen = await self._setup.vitals.read(self._page, self._steps.current)
        # What the page raised before it answered was heard before its answer was.
        return seen, self._setup.end.objection()

    def _check_pages(self) -> None:
        objection = self._setup.end.objection()
        if objection:
            raise objection


def _run_in(run: Run, page: Page) -> Run:
    """Return the same run, in another of its pages."""
    return replace(run, page=page, context=page.context, api=page.context.request)
