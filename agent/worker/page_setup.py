"""Setting up the context and the page of one attempt: tagged, followed and watched over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from playwright.async_api import Error

from agent.beacons.policy import BeaconGuard
from agent.core.bare_url import bare_url
from agent.core.limits import MOST_HOSTS
from agent.core.origins import FirstParty, origin_of
from agent.protocol.messages import Logged, SpanEnded
from agent.worker.browser.console import Console
from agent.worker.browser.context import refuse_sign_in
from agent.worker.browser.dialogs import Dialogs
from agent.worker.browser.downloads import Downloads
from agent.worker.browser.faults import (
    BrowserGone,
    PageCrashed,
)
from agent.worker.browser.handshakes import Handshakes
from agent.worker.browser.launch import keep_open
from agent.worker.browser.listening import Listeners
from agent.worker.browser.main_documents import MainDocuments
from agent.worker.browser.outliner import Outliner
from agent.worker.browser.page_errors import PageErrors
from agent.worker.browser.releases import Releases
from agent.worker.browser.routes import notice_routes
from agent.worker.browser.traffic import Hooks, Traffic
from agent.worker.browser.vitals import OBSERVE, Vitals
from agent.worker.calls import no_browser, open_api
from agent.worker.contexts import Contexts, bad_context
from agent.worker.own_cookies import own_cookies
from agent.worker.tagging.auditor import Auditor
from agent.worker.tagging.run_api import ApiTagger
from agent.worker.tagging.tagger import Tagger
from agent.worker.walk_end import WalkEnd
from agent.worker.walk_pages import WalkPages

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import (
        APIRequestContext,
        Browser,
        BrowserContext,
        Page,
        Request,
    )

    from agent.core.model import Hold
    from agent.core.results import SpanData
    from agent.protocol.messages import Walk
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.page_errors import PageError
    from agent.worker.pipe import Pipe
    from agent.worker.tagging.identity import Identity

_ACTION_SHARE = 0.8
"""The share of the timeout after which one action gives up: its own error says more than
the deadline's."""
OPEN_WAIT = 3.0
"""Seconds in which a browser that started opens a page."""


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A context with its first page, ready for the journey; both None without a browser."""

    context: BrowserContext | None
    page: Page | None
    api: APIRequestContext


class PageSetup:
    """Opens the context and its pages, and whatever follows them."""

    def __init__(self, walk: Walk, identity: Identity, pipe: Pipe, hold: Hold) -> None:
        journey, proxies = walk.journey, walk.proxies
        fit = pipe.redactor.fit
        self._listeners = Listeners(self._on_listener_failed)
        self._pipe = pipe
        self._proxies = proxies
        self._proxied = proxies is not None and proxies.of(journey.site.url) is not None
        self._journey = journey
        self._site = FirstParty(journey.site.first_party)
        self.end = WalkEnd(self._site, proxied=self._proxied)
        # The canary is loaded through the tagger too: it vouches for all that a walk needs.
        first_party = FirstParty([*journey.site.first_party, origin_of(walk.canary_url)])
        self._guard = BeaconGuard(journey.site.beacons, self._site)
        self.auditor = Auditor(self._guard, self._site, fit)
        self.tagger = Tagger(first_party, identity, self.auditor, self._listeners, hold)
        site = journey.site
        self.outliner = Outliner(site.url, first_party.covers, fit)
        self.releases = Releases(site, fit, calls=not journey.browser)
        self.traffic = Traffic(
            identity.trace_id,
            Hooks(
                first_party.covers,
                self.tagger.take,
                self._on_span,
                self._saw,
                lambda request: self.auditor.unsee(request.method, request.url),
                lambda request: self.auditor.stopped(request.method, request.url),
                self.tagger.forget,
                fit,
            ),
            self._listeners,
            self.outliner,
            MainDocuments(self.end.refusals, self.end.on_refusal),
            self.releases,
        )
        self.console = Console(fit, self.auditor.connect)
        self.page_errors = PageErrors(self._site.covers, fit, self._on_page_error)
        self.handshakes = Handshakes(self._site.covers, self._listeners, self._on_too_many_hosts)
        self.dialogs = Dialogs(self._listeners, fit)
        self.downloads = Downloads(self._on_too_much)
        self._api = ApiTagger(
            first_party,
            identity,
            journey.site.url,
            self._on_span,
            self.traffic,
            self.auditor,
            self.end.challenges.see,
            self.handshakes.see,
        )
        self.vitals = Vitals()
        self.pages = WalkPages()
        self.contexts: Contexts | None = None
        """Those of the browser; None without one."""
        self.routed = False
        """Whether the journey intercepts requests itself."""

    async def open(self, browser: Browser, launcher: Launcher) -> OpenPage:
        """Open a context and a page in a fresh browser, which the journey may not close.

        Raises:
            BadContext: the author's ``context`` options are not understood.
            TimeoutError: the browser opened no page in time.

        """
        async with asyncio.timeout(OPEN_WAIT):
            await self.tagger.attach(browser)
            gone = BrowserGone("the browser died")
            self._listeners.on(browser, "disconnected", lambda _: self.end.lose(gone))
            keep_open(browser)
            journey, proxies = self._journey, self._proxies
            self.contexts = Contexts(browser, launcher, journey, proxies, self._prepare)
            context = await self.contexts.first()
            return OpenPage(context, await context.new_page(), context.request)

    async def open_api(self, launcher: Launcher) -> OpenPage:
        """Open what a journey without a browser has.

        Raises:
            BadContext: the author's ``context`` options are not understood.
            TimeoutError: the driver opened nothing in time.

        """
        async with asyncio.timeout(OPEN_WAIT):
            try:
                api = await open_api(
                    launcher,
                    self._journey,
                    own_cookies(self._site),
                    self._proxies,
                    self._action_timeout,
                )
            except (Error, OSError, TypeError, ValueError) as error:
                if not self._journey.context or not launcher.alive:
                    raise
                raise bad_context(self._journey, error) from error
        if self._proxied:
            refuse_sign_in(api)
        self._api.attach(api)
        return OpenPage(None, None, api)

    def new_context(self, options: dict[str, Any]) -> AbstractAsyncContextManager[BrowserContext]:
        """Open another context for as long as the caller is inside, like the journey's first."""
        if self.contexts is None:
            raise no_browser("run.new_context")
        return self.contexts.another(options)

    async def _prepare(self, context: BrowserContext) -> None:
        notice_routes(context, self._routes)
        self._listeners.on(context, "page", self._adopt)
        # Before the traffic hears of it: a challenge is no refusal.
        self._listeners.on(context, "response", self.end.on_answer)
        self.traffic.follow(context)
        self.console.follow(context, self._listeners)
        self.page_errors.follow(context, self._listeners)
        self.handshakes.follow(context)
        self.downloads.follow(context, self._listeners)
        self.dialogs.follow(context)
        # By these flags vendors leave internal traffic out.
        needed = self._guard.preparations()
        await context.add_cookies([*own_cookies(self._site), *cast("Any", needed.cookies)])
        # All in one: each script is asked for, and run, anew in each document.
        scripts = needed.init_script, self._guard.socket_script(), OBSERVE
        await context.add_init_script(";\n".join(filter(None, scripts)))
        context.set_default_timeout(self._action_timeout)
        if self._proxied:
            refuse_sign_in(context.request)
        self._api.attach(context.request)
        self.pages.follow(context)

    @property
    def _action_timeout(self) -> int:
        """Milliseconds after which one action, or one call, gives up."""
        return round(self._journey.timeout * _ACTION_SHARE * 1000)

    def _saw(self, request: Request) -> None:
        self.auditor.see(
            request.method,
            request.url,
            request.resource_type,
            request.post_data_buffer,
            by_worker=request.service_worker is not None,
        )

    def _adopt(self, page: Page) -> None:
        self.pages.adopt(page)

        def crashed(_: Page) -> None:
            self.end.lose(PageCrashed(f"the page {bare_url(page.url)} crashed"))

        self._listeners.on(page, "crash", crashed)
        self._listeners.on(page, "websocket", lambda socket: self.auditor.connect(socket.url))
        notice_routes(page, self._routes)
        self.dialogs.follow(page)

    def _on_span(self, span: SpanData) -> None:
        self._pipe.send(SpanEnded(span))

    def _on_too_much(self, mib: int) -> None:
        self._pipe.send(Logged("warning", "downloads.stopped", {"mib": mib}))

    def _on_page_error(self, error: PageError) -> None:
        if "page_error" in self._journey.fail_on:
            self.end.on_page_error(error)

    def _on_too_many_hosts(self) -> None:
        self._pipe.send(Logged("warning", "certificates.left_out", {"beyond": MOST_HOSTS}))

    def _on_listener_failed(self, event: str, error: Exception) -> None:
        # Its type alone: what it says may hold anything that a page says.
        fields = {"listener": event, "error": type(error).__name__}
        self._pipe.send(Logged("error", "agent.listener_failed", fields))

    def _routes(self) -> None:
        self.routed = True
