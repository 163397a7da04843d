"""What an attempt's pages asked for: counts by party, client spans, and what went wrong."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.core.client_spans import Exchange, client_span
from agent.core.redact import bare_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import BrowserContext, ConsoleMessage, Request, Response, WebError

    from agent.core.results import SpanData, Tag

_TRACED = frozenset({"document", "xhr", "fetch"})
_MOST_LINES = 200
_STOPPED = "net::ERR_BLOCKED_BY_CLIENT"
"""How the failure of what the guard stopped begins; some versions add who stopped it."""
_NOT_LOADED = "Failed to load resource:"


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the traffic needs from its surroundings."""

    is_first_party: Callable[[str], bool]
    take_tag: Callable[[str, str], Tag | None]
    on_span: Callable[[SpanData], None]
    on_refusal: Callable[[], None]
    """Told when a main document answered 400 or above."""
    on_request: Callable[[Request], None]
    """Told of every request when it begins."""
    on_unsent: Callable[[Request], None]
    """Told of a request that a service worker answered in the network's stead."""
    was_stopped: Callable[[Request], bool]
    """Whether a request failed because the agent itself stopped it."""


@dataclass  # without slots: Playwright writes attributes on whoever listens
class Traffic:
    """Follows a context's requests and console.

    Playwright's own events are used, not a page's CDP ``Network`` domain: they also cover
    popups from their first request, frames of other processes and workers. They know
    nothing of our tag, so of the requests with one method and address the oldest is joined
    to the oldest tag.
    """

    trace_id: str
    hooks: Hooks
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """Main documents that answered 400 or above: (status, "METHOD address")."""
    _open: dict[Request, int] = field(default_factory=dict)
    """When each request began that isn't over, in Unix nanoseconds."""
    _statuses: dict[Request, int] = field(default_factory=dict)
    _untagged: defaultdict[tuple[str, str], list[Request]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _tags: dict[Request, Tag] = field(default_factory=dict)

    def follow(self, context: BrowserContext) -> None:
        """Start listening."""
        context.on("request", self._began)
        context.on("response", self._answered)
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)
        context.on("console", self._said)
        context.on("weberror", self._threw)

    def end(self, why: str) -> None:
        """Close what is still under way when the walk is over: it may be what the walk broke on.

        ``why`` is the ``error.type`` of a request that got no answer; empty where that is
        no error.
        """
        for request in list(self._open):
            status = self._statuses.pop(request, None)
            if status is None:
                self._close(request, "", None, why)
            else:
                self._close(request, "ok" if status < 400 else "http_error", status)

    def count(self, url: str, outcome: str) -> None:
        """Count a request that is over: ``ok``, ``http_error`` or ``failed``."""
        party = "first" if self.hooks.is_first_party(url) else "third"
        self.counts[f"{party} {outcome}"] += 1

    @property
    def reached(self) -> bool:
        """Whether the site itself answered anything at all."""
        return self.counts["first ok"] + self.counts["first http_error"] > 0

    def _began(self, request: Request) -> None:
        if request.url.startswith(("http:", "https:")):
            self.hooks.on_request(request)
            self._open[request] = time.time_ns()
            self._join(request).append(request)

    def _join(self, request: Request) -> list[Request]:
        """Hand out the tags of a request's address; return those that are still without one.

        Done when a request begins and again when one ends, for an answer may overtake
        another, and a tag its own request's event.
        """
        key = request.method, request.url.partition("#")[0]
        untagged = self._untagged[key]
        while untagged and (tag := self.hooks.take_tag(*key)):
            self._tags[untagged.pop(0)] = tag
        return untagged

    def _answered(self, response: Response) -> None:
        request = response.request
        self._statuses[request] = response.status
        if response.from_service_worker:
            self.hooks.on_unsent(request)
        if response.status < 400:
            return
        self._note(f"{response.status} {request.method} {bare_url(request.url)}")
        if request.resource_type == "document" and _is_main(request):
            self.refusals.append((response.status, f"{request.method} {bare_url(request.url)}"))
            self.hooks.on_refusal()

    def _finished(self, request: Request) -> None:
        status = self._statuses.pop(request, None)
        outcome = "ok" if status is None or status < 400 else "http_error"
        self._close(request, outcome, status)

    def _failed(self, request: Request) -> None:
        failure = request.failure or "failed"
        if failure.startswith(_STOPPED) and self.hooks.was_stopped(request):
            # The audit tells of it.
            self._close(request, "", None)
            return
        self._note(f"{failure} {request.method} {bare_url(request.url)}")
        self._close(request, "failed", self._statuses.pop(request, None), failure)

    def _close(self, request: Request, outcome: str, status: int | None, failure: str = "") -> None:
        began = self._open.pop(request, None)
        if began is None:
            return
        if outcome:
            self.count(request.url, outcome)
        untagged, tag = self._join(request), self._tags.pop(request, None)
        if tag is None:
            untagged.remove(request)
            return
        if request.resource_type not in _TRACED:
            return
        start_ns, end_ns = _times(request, began)
        exchange = Exchange(
            request.method, request.url, start_ns, end_ns, status, failure, request.resource_type
        )
        self.hooks.on_span(client_span(exchange, tag, self.trace_id))

    def _said(self, message: ConsoleMessage) -> None:
        if len(self.console) < _MOST_LINES:
            self.console.append(f"{message.type}: {message.text}{_meant(message)}")

    def _threw(self, error: WebError) -> None:
        if len(self.console) < _MOST_LINES:
            self.console.append(f"uncaught: {error.error}")

    def _note(self, line: str) -> None:
        if len(self.failed) < _MOST_LINES:
            self.failed.append(line)


def _meant(message: ConsoleMessage) -> str:
    """Return the address that the browser complains of, which its words leave out."""
    if not message.text.startswith(_NOT_LOADED):
        return ""
    return f" {bare_url(message.location['url'])}"


def _is_main(request: Request) -> bool:
    try:
        return request.frame.parent_frame is None
    except Error:
        # A service worker's request has no frame; a popup's first one has none yet.
        return request.service_worker is None and request.is_navigation_request()


def _times(request: Request, began: int) -> tuple[int, int]:
    """Return start and end in Unix nanoseconds, by our clock where the browser didn't say."""
    timing = request.timing
    took = max(timing["responseEnd"], timing["responseStart"])
    if timing["startTime"] <= 0 or took < 0:
        return began, time.time_ns()
    start = int(timing["startTime"] * 1e6)
    return start, start + int(took * 1e6)
