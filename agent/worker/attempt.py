"""One attempt at a journey, on the worker's side: the walk, its end and its evidence."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.authoring import Run
from agent.core.errors import ErrorType
from agent.core.first_of import first_of
from agent.core.results import AttemptReport
from agent.protocol.messages import Logged, OutcomeKnown, Started
from agent.worker.browser.faults import AttemptTimeout, BadContext, LaunchFailed, first_line
from agent.worker.browser.launch import close
from agent.worker.browser.raised import take_untold
from agent.worker.forgotten import Forgotten
from agent.worker.outcome import AttemptOutcome
from agent.worker.page_setup import OPEN_WAIT, PageSetup
from agent.worker.pending import PendingCall
from agent.worker.request_signer import proofs_of
from agent.worker.run_host import RunHost
from agent.worker.steps import Steps
from agent.worker.tagging.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Browser, Page

    from agent.core.model import Hold
    from agent.protocol.messages import Walk
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.isolation import Isolation
    from agent.worker.loader import LoadedJourney
    from agent.worker.page_setup import OpenPage
    from agent.worker.pipe import Pipe
    from agent.worker.watchdog import Watchdog

_ROUTED = "the pages it routes have no HTTP cache, and Playwright answers their CORS preflights"
_CANCEL_WAIT = 0.3
_LAST_WORDS = 0.1
"""Seconds to wait for the news of a death, after it has broken the journey."""
_CLOSE_WAIT = 3.0


@dataclass(frozen=True, slots=True)
class Services:
    """What a worker has for all of its attempts."""

    pipe: Pipe
    watchdog: Watchdog
    isolation: Isolation
    launcher: Launcher
    code: AuthorCode
    header: str
    """The name of the header that carries the journey's name."""
    hold: Hold


class AttemptRunner:
    """Walks one journey once."""

    def __init__(self, walk: Walk, journey: LoadedJourney, services: Services) -> None:
        self._walk = walk
        self._journey = journey
        self._pipe = pipe = services.pipe
        self._watchdog = services.watchdog
        self._isolation = services.isolation
        self._launcher = services.launcher
        self._steps = Steps(
            walk.trace_id, walk.span_id, pipe.send, self._before_pass, self._first_line
        )
        identity = Identity(
            journey=walk.journey.name,
            run_id=walk.run_id,
            trace_id=walk.trace_id,
            header=services.header,
            parent=lambda: self._steps.current,
            proofs=proofs_of(walk, pipe),
        )
        self._setup = PageSetup(walk, identity, pipe, services.hold)
        self._code = services.code
        self._forgotten = Forgotten(services.code)
        self._outcome = AttemptOutcome(walk, pipe, self._setup, self._steps, services.code)
        self._page: Page | None = None
        self.fit = True
        """Whether the process is as good as before."""

    async def run(self, done: Callable[[AttemptReport], None]) -> None:
        """Walk, tell ``done`` what was seen, and close the browser."""
        try:
            browser = await self._launcher.take()
        except LaunchFailed as error:
            # As likely as not it is this process's driver that is dead or hangs.
            self.fit = False
            done(AttemptReport(time.time(), 0.0, ErrorType.BROWSER_LAUNCH, str(error)))
            await self._clear()
            return
        try:
            done(await self._walk_in(browser))
            if self.fit:
                # The next one starts while this one ends: a slot may be waiting for it.
                self._launcher.ahead()
        finally:
            self._setup.downloads.stop()
            try:
                await asyncio.wait_for(close(browser), _CLOSE_WAIT)
            except (Error, TimeoutError):
                self.fit = False
            await self._clear()

    async def _clear(self) -> None:
        """Put right what the journey left in this process; where that fails it is not fit."""
        left = await self._isolation.clear()
        if left:
            self.fit = False
            self._pipe.send(Logged("warning", "journey.left", {"left": ", ".join(left[:5])}))

    async def _walk_in(self, browser: Browser) -> AttemptReport:
        started_at, start = time.time(), time.perf_counter()
        self._watchdog.begin()
        try:
            opened = await self._open(browser)
        except BadContext as error:
            self._watchdog.end()
            place = self._outcome.declared()
            return AttemptReport(started_at, 0.0, ErrorType.SCRIPT_ERROR, str(error), place=place)
        except (Error, TimeoutError) as error:
            self._watchdog.end()
            self.fit = False
            why = str(error) or f"the browser opened no page within {OPEN_WAIT:g} s"
            return AttemptReport(started_at, 0.0, ErrorType.BROWSER_CRASH, why)
        self._pipe.send(Started())
        started_at, start = time.time(), time.perf_counter()
        failure = await self._walk_on(opened)
        took = time.perf_counter() - start
        failure = self._behind(failure, opened)
        self._outcome.forgotten = self._forgotten.end(failure)
        if failure is not None:
            self._setup.console.stop()
        if self._setup.routed:
            self._pipe.send(Logged("warning", "journey.routes", {"effect": _ROUTED}))
        fault = self._outcome.fault(failure, self._launcher, browser)
        self._setup.traffic.end("unfinished" if failure else "")
        tagger_wait = self._setup.tagger.longest_wait
        lag, blocked_at = self._watchdog.end()
        if fault is not None:
            self._steps.skip(self._journey.step_names)
        evidence_end = self._outcome.evidence_end(took)
        canary = await self._outcome.canary(fault, self._launcher, browser, took)
        if browser.is_connected():
            await self._setup.auditor.wait_for_tagger()
        if canary is not None or not self._launcher.alive:
            self.fit = False
        report = AttemptReport(
            started_at=started_at,
            duration=took,
            error_type=fault.error_type if fault else None,
            error=fault.message if fault else "",
            place=fault.place if fault else None,
            unreachable=fault.unreachable if fault else False,
            canary=canary,
            lag=lag,
            tagger_wait=tagger_wait,
            blocked_at=blocked_at,
            requests=dict(self._setup.traffic.counts),
            vitals=self._setup.vitals.collected(),
            audit=self._setup.auditor.report(),
            page_errors=dict(self._setup.page_errors.counts),
            certificates=self._setup.handshakes.collected(),
        )
        if fault is not None or self._walk.record_trace:
            # What is saved now may cost the process; of a pass nothing is.
            self._pipe.send(OutcomeKnown(report))
        await self._outcome.save(fault, browser, opened, evidence_end)
        return replace(report, evidence=self._outcome.kept, audit=self._setup.auditor.report())

    async def _open(self, browser: Browser) -> OpenPage:
        opened = await self._setup.open(browser, self._launcher)
        self._page = opened.page
        await self._outcome.record(opened, self._launcher)
        return opened

    async def _walk_on(self, opened: OpenPage) -> BaseException | None:
        """Run the author's function under the deadline; return what it raised."""
        host = RunHost(self._pipe, self._steps, self._forgotten, self._setup, self._outcome)
        run = Run(
            page=opened.page,
            context=opened.context,
            api=opened.context.request,
            params=self._params(),
            log=host.log,
            run_id=self._walk.run_id,
            host=host,
        )
        self._forgotten.begin()
        task = asyncio.create_task(self._guarded(run), name="journey")
        pending = PendingCall(task, self._isolation.tasks, self._code)
        self._setup.end.stands_at = pending.place
        timeout = self._walk.journey.timeout
        lost = self._setup.end.lost
        await first_of(task, lost, limit=timeout)
        if task.done():
            if isinstance(task.result(), (Error, AssertionError)):
                # What the death of a page or a browser breaks is heard before the death is.
                await asyncio.wait({lost}, timeout=_LAST_WORDS)
            pending.stop()
            return task.result()
        where = f" in step {self._steps.path!r}" if self._steps.path else ""
        waited = pending.stop()
        self._outcome.waited = waited
        late: BaseException = AttemptTimeout(f"not done after {timeout:g} s{where}: {waited}")
        if lost.done():
            late = lost.exception() or late
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_WAIT)
        # A journey that swallows its cancellation lives on; its process must not.
        self.fit = task.done()
        return late

    def _behind(self, failure: BaseException | None, opened: OpenPage) -> BaseException | None:
        """Return what lies behind a time-out: a route or listener of the journey's that broke.

        What it should have answered stays unanswered, and would be told as the site's fault.
        """
        untold = take_untold(opened.page)
        waited = isinstance(failure, PlaywrightTimeout | AttemptTimeout)
        return untold if waited and untold and self._code.raised_at(untold) else failure

    def _params(self) -> dict[str, Any]:
        """Return the journey's parameters; one that its file computes is as new as its import."""
        walked = self._walk.journey
        fresh = self._journey.declaration.params.items()
        return walked.params | {k: v for k, v in fresh if k not in walked.configured_params}

    async def _guarded(self, run: Run) -> BaseException | None:
        self._isolation.enter()
        # Returned, not raised: SystemExit out of a task would end the loop itself.
        try:
            await self._journey.declaration.function(run)
            if self._steps.ended:
                self._check_pages()
            else:
                await self._before_pass()
        except BaseException as error:  # noqa: BLE001 - a journey may raise anything
            return error
        return None

    async def _before_pass(self) -> dict[str, float]:
        """Before a step passes: no unexpected status, and the vitals of what is shown."""
        self._check_pages()
        if self._page is None:
            return {}
        seen = await self._setup.vitals.read(self._page, self._steps.current)
        # What the page raised before it answered was heard before its answer was.
        self._check_pages()
        return seen

    def _check_pages(self) -> None:
        objection = self._setup.end.objection()
        if objection:
            raise objection

    def _first_line(self, error: BaseException) -> str:
        return first_line(error, self._pipe.redactor.fit)
