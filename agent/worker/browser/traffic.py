"""What an attempt's pages asked for: counts by party, client spans, and what went wrong.

Each request has to come all the way from the browser, so after the first thousands the agent
listens for the answers of documents alone.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from agent.core.bare_url import bare_url
from agent.core.client_spans import Exchange, client_span
from agent.core.limits import LINE_LENGTH, MOST_LINES, MOST_REQUEST_SPANS, MOST_REQUESTS
from agent.worker.browser.main_documents import is_main

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import BrowserContext, Request, Response

    from agent.core.results import SpanData, Tag
    from agent.worker.browser.listening import Listeners
    from agent.worker.browser.main_documents import MainDocuments
    from agent.worker.browser.noted import Note
    from agent.worker.browser.outliner import Outliner
    from agent.worker.browser.releases import Releases

_TRACED = frozenset({"document", "xhr", "fetch"})
_JOINED = _TRACED | {"eventsource"}
"""Kinds of which the tagger gives tags; a picture may have the address of a call."""
_MOST_OPEN = 10
"""Requests without an end that are named."""
_STOPPED = "net::ERR_BLOCKED_BY_CLIENT"
"""How the failure of what the guard stopped begins; some versions add who stopped it."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the traffic needs from its surroundings."""

    is_first_party: Callable[[str], bool]
    take_tag: Callable[[str, str], Tag | None]
    on_span: Callable[[SpanData], None]
    on_request: Callable[[Request], None]
    """Told of every request when it begins."""
    on_unsent: Callable[[Request], None]
    """Told of a request that a service worker answered in the network's stead."""
    was_stopped: Callable[[Request], bool]
    """Whether a request failed because the agent itself stopped it."""
    on_enough: Callable[[], None]
    """Told when there were so many requests that no more are followed."""
    fit: Callable[[str, int], str]
    """Makes a text of the page's fit to be kept, within so many characters."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that has no answer, or whose answer isn't whole, after so many seconds."""

    what: str
    seconds: float
    awaited: bool = False
    """Whether the site itself owes the answer, to a page or to a call of one."""

    def __str__(self) -> str:
        return f"{self.what} ({self.seconds:.1f} s)"


@dataclass  # without slots: Playwright writes attributes on whoever listens
class Traffic:
    """Follows a context's requests.

    Playwright's own events are used, not a page's CDP ``Network`` domain: they also cover
    popups from their first request, frames of other processes and workers. They know
    nothing of our tag, so of the requests with one method and address the oldest is joined
    to the oldest tag.
    """

    trace_id: str
    hooks: Hooks
    listeners: Listeners
    outliner: Outliner
    documents: MainDocuments
    releases: Releases
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    _answered: bool = False
    _over: bool = False
    _begun: int = 0
    _spans: int = 0
    _stops: list[Callable[[], None]] = field(default_factory=list)
    _open: dict[Request, int] = field(default_factory=dict)
    """When each request began that isn't over, in nanoseconds of the monotonic clock."""
    _statuses: dict[Request, int] = field(default_factory=dict)
    _untagged: defaultdict[tuple[str, str], list[Request]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _tags: dict[Request, Tag] = field(default_factory=dict)
    _notes: dict[Request, Note] = field(default_factory=dict)

    def follow(self, context: BrowserContext) -> None:
        """Start listening."""
        on = self.listeners.on
        on(context, "response", self._on_response)
        self._stops += [
            on(context, "request", self._on_request),
            on(context, "requestfinished", self._on_finished),
            on(context, "requestfailed", self._on_failed),
        ]

    def end(self, why: str) -> None:
        """Close what is still under way when the walk is over: it may be what the walk broke on.

        ``why`` is the ``error.type`` of a request that got no answer; empty where that is
        no error.
        """
        self._over = True
        if why:
            # After a pass the browser ends at once, and need not be told first.
            self._stop()
        for request in list(self._open):
            status = self._statuses.pop(request, None)
            if status is None:
                self._close(request, "", None, why)
            else:
                self._close(request, "ok" if status < 400 else "http_error", status)

    def open_requests(self) -> list[OpenRequest]:
        """Return the requests that are without an end, the oldest first: ten at most."""
        now = time.monotonic_ns()
        return [
            OpenRequest(
                f"{request.method} {bare_url(request.url)}",
                (now - began) / 1e9,
                request.resource_type in _TRACED and self.hooks.is_first_party(request.url),
            )
            for request, began in islice(self._open.items(), _MOST_OPEN)
        ]

    def count(self, url: str, outcome: str) -> None:
        """Count a request that is over: ``ok``, ``http_error`` or ``failed``."""
        party = "first" if self.hooks.is_first_party(url) else "third"
        self.counts[f"{party} {outcome}"] += 1

    @property
    def reached(self) -> bool:
        """Whether the site itself answered anything at all."""
        return self._answered or self.counts["first ok"] + self.counts["first http_error"] > 0

    def _on_request(self, request: Request) -> None:
        if self._over:
            return
        self._begun += 1
        if self._begun > MOST_REQUESTS:
            self._stop()
            self.hooks.on_enough()
            self._note(f"… of requests after the first {MOST_REQUESTS:,} no more is known")
            return
        if request.url.startswith(("http:", "https:")):
            self.hooks.on_request(request)
            self._open[request] = time.monotonic_ns()
            kind = request.resource_type
            main = is_main(request)
            if main:
                self.documents.began(request)
            self._notes[request] = self.outliner.began(request.method, request.url, kind, main=main)
            if kind in _JOINED:
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

    def _on_response(self, response: Response) -> None:
        request = response.request
        if not self._answered:
            # That its body has come is told later, on a busy page perhaps too late.
            self._answered = self.hooks.is_first_party(request.url)
        if request in self._open:
            self._statuses[request] = response.status
            self.outliner.answered(self._notes[request], response.status, response.headers)
        self.releases.on_response(response)
        if response.from_service_worker:
            self.hooks.on_unsent(request)
        if response.status < 400:
            return
        self._note(f"{response.status} {request.method} {bare_url(request.url)}")
        if is_main(request):
            self.documents.answered(request, response.status)

    def _on_finished(self, request: Request) -> None:
        status = self._statuses.pop(request, None)
        outcome = "ok" if status is None or status < 400 else "http_error"
        self._close(request, outcome, status)

    def _on_failed(self, request: Request) -> None:
        failure = self.hooks.fit(request.failure or "failed", LINE_LENGTH)
        if failure.startswith(_STOPPED) and self.hooks.was_stopped(request):
            # The audit tells of it. One that ended with the walk has no note any more.
            if request in self._notes:
                self.outliner.dropped(self._notes[request])
            self._close(request, "", None)
            return
        self._note(f"{failure} {request.method} {bare_url(request.url)}")
        if request in self._statuses and is_main(request):
            self.documents.failed(request, failure)
        self._close(request, "failed", self._statuses.pop(request, None), failure)

    def _close(self, request: Request, outcome: str, status: int | None, failure: str = "") -> None:
        began = self._open.pop(request, None)
        if began is None:
            return
        # Of one that the walk's end finds open nobody knows what it would have come to.
        self.outliner.ended(self._notes.pop(request), "" if self._over else failure)
        if outcome:
            self.count(request.url, outcome)
        if request.resource_type not in _JOINED:
            return
        untagged, tag = self._join(request), self._tags.pop(request, None)
        if tag is None:
            with suppress(ValueError):
                untagged.remove(request)
            return
        if request.resource_type not in _TRACED or self._spans >= MOST_REQUEST_SPANS:
            return
        self._spans += 1
        start_ns, end_ns = _times(request, began)
        exchange = Exchange(
            request.method, request.url, start_ns, end_ns, status, failure, request.resource_type
        )
        self.hooks.on_span(client_span(exchange, tag, self.trace_id))

    def _note(self, line: str) -> None:
        if len(self.failed) < MOST_LINES:
            self.failed.append(line)

    def _stop(self) -> None:
        while self._stops:
            self._stops.pop()()


def _times(request: Request, began: int) -> tuple[int, int]:
    """Return start and end in Unix nanoseconds, by our clock where the browser didn't say."""
    timing = request.timing
    took = max(timing["responseEnd"], timing["responseStart"])
    if timing["startTime"] <= 0 or took < 0:
        now = time.time_ns()
        return now - (time.monotonic_ns() - began), now
    start = int(timing["startTime"] * 1e6)
    return start, start + int(took * 1e6)
