"""Tagging every first-party request of a browser through one browser-level CDP session.

A browser belongs to one attempt, so one session sees all of its traffic: documents,
redirects, popups, cross-origin frames, workers, service workers and unload beacons.
``context.route`` would switch the HTTP cache off and answer CORS preflights itself.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from collections import defaultdict, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from agent.beacons import sockets
from agent.core.beacon_report import BeaconAction
from agent.worker.tagging.worker_sockets import WorkerSockets

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession

    from agent.core.origins import FirstParty
    from agent.core.results import Tag
    from agent.worker.browser.listening import Listeners
    from agent.worker.tagging.auditor import Auditor
    from agent.worker.tagging.identity import Identity

_PAUSED = "Fetch.requestPaused"
_CSP_REPORT = "CSPViolationReport"
_MAY_BE_BEACONS: tuple[dict[str, str], ...] = (
    *({"urlPattern": "http*", "resourceType": kind} for kind in ("Ping", "XHR", "Fetch", "Other")),
    # Pictures without a query are the page's own.
    *({"urlPattern": one, "resourceType": "Image"} for one in (r"http*\?*", "http*.gif*")),
    # A page's complaint of what the agent itself did is not the site's to read.
    {"urlPattern": "http*", "resourceType": _CSP_REPORT},
    # Frames are few, and some are hits themselves.
    {"urlPattern": "http*", "resourceType": "Document"},
    # Scripts that say nothing are libraries. Conversion tags may tell all in their path.
    *(
        {"urlPattern": one, "resourceType": "Script"}
        for one in (r"http*\?*", "http*/pagead/*", "http*/ccm/*")
    ),
)
"""Beyond first parties only what may be a beacon is held: holding costs time."""


class Tagger:
    """Adds the identity to what leaves for first parties and remembers the tags it gave.

    Holds what may be a beacon, and stops or marks it as ``auditor`` says.
    """

    def __init__(
        self,
        first_party: FirstParty,
        identity: Identity,
        auditor: Auditor,
        listeners: Listeners,
    ) -> None:
        self._listeners = listeners
        self._first_party = first_party
        self._auditor = auditor
        self._identity = identity
        self._session: CDPSession | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self._given: defaultdict[tuple[str, str], deque[Tag]] = defaultdict(deque)
        self._remembers = True
        self._longest = 0.0
        self._waiting: dict[str, float] = {}

    @property
    def longest_wait(self) -> float:
        """The longest time in seconds for which a request waited, or waits, for its answer."""
        now = time.monotonic()
        return max([self._longest, *(now - since for since in self._waiting.values())])

    async def attach(self, browser: Browser) -> None:
        """Start tagging; returns once the browser pauses requests."""
        self._session = await browser.new_browser_cdp_session()
        self._listeners.on(self._session, _PAUSED, self._on_paused)
        patterns = [{"urlPattern": origin.cdp_pattern} for origin in self._first_party.origins]
        if self._auditor.acts:
            patterns += _MAY_BE_BEACONS
        await self._session.send("Fetch.enable", {"patterns": patterns})
        await WorkerSockets(self._session, self._auditor.connect, self._listeners).start()

    def take(self, method: str, url: str) -> Tag | None:
        """Return the oldest tag given to such a request that nobody has taken yet."""
        given = self._given.get((method, url))
        return given.popleft() if given else None

    def forget(self) -> None:
        """Remember no tags from now on, for nobody will take them."""
        self._remembers = False
        self._given.clear()

    def _on_paused(self, event: dict[str, Any]) -> None:
        # Answered in a task of its own: a handler that waits would stall the page.
        task = asyncio.get_running_loop().create_task(self._answer(event, time.monotonic()))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, event: dict[str, Any], since: float) -> None:
        self._waiting[event["requestId"]] = since
        try:
            verb, answer = await self._decision(event["request"], event["resourceType"])
        except Exception as error:  # noqa: BLE001 - a request that nobody answers stalls its page
            self._listeners.failed(_PAUSED, error)
            verb, answer = "Fetch.failRequest", {"errorReason": "BlockedByClient"}
        if self._session is None:
            return
        # The page or the browser may go away while the request is paused.
        with suppress(Error):
            await self._session.send(verb, {"requestId": event["requestId"], **answer})
        del self._waiting[event["requestId"]]
        self._longest = max(self._longest, time.monotonic() - since)

    async def _decision(self, request: dict[str, Any], kind: str) -> tuple[str, dict[str, Any]]:
        """Return what is to be said of a request that is held."""
        method, url = request["method"], request["url"]
        if kind == _CSP_REPORT and sockets.reported(_body(request)):
            return "Fetch.fulfillRequest", {"responseCode": 204}
        answer: dict[str, Any] = {}
        beacon = self._auditor.hold(method, url, kind, _body(request))
        if beacon is not None and beacon.action is BeaconAction.BLOCKED:
            return "Fetch.failRequest", {"errorReason": "BlockedByClient"}
        if beacon is not None and beacon.url is not None:
            answer["url"] = beacon.url
        if self._first_party.covers(url):
            proof = await self._identity.proof(url)
            headers, tag = self._identity.tag(request["headers"], proof)
            answer["headers"] = [{"name": k, "value": v} for k, v in headers.items()]
            if self._remembers:
                self._given[method, _address(url)].append(tag)
            self._auditor.tag(url)
        return "Fetch.continueRequest", answer


def _address(url: str) -> str:
    return url.partition("#")[0]


def _body(request: dict[str, Any]) -> bytes | None:
    """Return what a request carries, as far as the browser shows it: no files."""
    if not request.get("hasPostData"):
        return None
    return b"".join(b64decode(part.get("bytes", "")) for part in request.get("postDataEntries", ()))
