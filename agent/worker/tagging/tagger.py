"""Tagging the first-party requests of a browser through one browser-level CDP session.

A browser belongs to one attempt, so one session sees all of its traffic: documents,
redirects, popups, cross-origin frames, workers, service workers and unload beacons.
``context.route`` would switch the HTTP cache off and answer CORS preflights itself.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from agent.beacons import sockets
from agent.core.beacon_report import BeaconAction
from agent.worker.browser.browser_session import BrowserSession
from agent.worker.tagging.patterns import CSP_REPORT, WORKER_SCRIPT, patterns
from agent.worker.tagging.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser

    from agent.core.model import Hold
    from agent.core.origins import FirstParty
    from agent.core.results import Tag
    from agent.worker.browser.listening import Listeners
    from agent.worker.tagging.auditor import Auditor
    from agent.worker.tagging.identity import Identity
    from agent.worker.tagging.patterns import Pattern

_PAUSED = "Fetch.requestPaused"
_JOINED = frozenset({"Document", "XHR"})
"""Kinds of which the tags are taken: others have no span."""
_REFUSED = "Fetch.failRequest", {"errorReason": "BlockedByClient"}


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
        hold: Hold,
    ) -> None:
        self._listeners = listeners
        self._first_party = first_party
        self._auditor = auditor
        self._identity = identity
        self._hold = hold
        self._session: BrowserSession | None = None
        self._workers = False
        """Whether there are any, so that what they import is held."""
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
        self._session = session = await BrowserSession.open(browser)
        self._listeners.on(session, _PAUSED, self._on_paused)
        await session.send("Fetch.enable", {"patterns": self._patterns()})
        workers = Workers(session, self._auditor.connect, self._on_worker, self._listeners)
        await workers.start()

    def take(self, method: str, url: str) -> Tag | None:
        """Return the oldest tag given to such a request that nobody has taken yet."""
        given = self._given.get((method, url))
        return given.popleft() if given else None

    def forget(self) -> None:
        """Remember no tags from now on, for nobody will take them."""
        self._remembers = False
        self._given.clear()

    def _patterns(self) -> list[Pattern]:
        origins = self._first_party.origins
        guarded = self._auditor.acts
        return patterns(origins, self._hold, guarded=guarded, workers=self._workers)

    def _on_worker(self) -> None:
        """Hold scripts from now on: what workers import looks like pages' own."""
        if self._workers or self._hold == "all" or self._session is None:
            return
        self._workers = True
        self._session.tell("Fetch.enable", {"patterns": self._patterns()})

    def _on_paused(self, event: dict[str, Any]) -> None:
        self._waiting[event["requestId"]] = time.monotonic()
        request, kind = event["request"], event["resourceType"]
        try:
            if kind == WORKER_SCRIPT and not _by_page(request["headers"]):
                # Taken up by the browser before it lets the worker's own script go.
                self._on_worker()
            proof = self._identity.proofs.at_hand(request["url"])
            if proof is None:
                # Answered in a task of its own: a handler that waits would stall the page.
                task = asyncio.get_running_loop().create_task(self._answer_later(event))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)
                return
            answer = self._decision(request, kind, proof)
        except Exception as error:  # noqa: BLE001 - a request that nobody answers stalls its page
            self._listeners.failed(_PAUSED, error)
            answer = _REFUSED
        self._answer(event["requestId"], *answer)

    async def _answer_later(self, event: dict[str, Any]) -> None:
        request = event["request"]
        try:
            proof = await self._identity.proofs.of(request["url"])
            answer = self._decision(request, event["resourceType"], proof)
        except Exception as error:  # noqa: BLE001
            self._listeners.failed(_PAUSED, error)
            answer = _REFUSED
        self._answer(event["requestId"], *answer)

    def _answer(self, request_id: str, verb: str, answer: dict[str, Any]) -> None:
        def done() -> None:
            since = self._waiting.pop(request_id)
            self._longest = max(self._longest, time.monotonic() - since)

        if self._session is not None:
            self._session.tell(verb, {"requestId": request_id, **answer}, done)

    def _decision(
        self, request: dict[str, Any], kind: str, proof: Mapping[str, str]
    ) -> tuple[str, dict[str, Any]]:
        """Return what is to be said of a request that is held."""
        method, url = request["method"], request["url"]
        body = _body(request)
        if kind == CSP_REPORT and sockets.reported(body):
            return "Fetch.fulfillRequest", {"responseCode": 204}
        answer: dict[str, Any] = {}
        beacon = self._auditor.hold(method, url, kind, body)
        if beacon is not None and beacon.action is BeaconAction.BLOCKED:
            return _REFUSED
        if beacon is not None and beacon.url is not None:
            answer["url"] = beacon.url
        if self._first_party.covers(url):
            headers, tag = self._identity.tag(request["headers"], proof)
            answer["headers"] = [{"name": k, "value": v} for k, v in headers.items()]
            if self._remembers and kind in _JOINED:
                self._given[method, _address(url)].append(tag)
            self._auditor.tag(url)
        return "Fetch.continueRequest", answer


def _by_page(headers: Mapping[str, str]) -> bool:
    """Whether a page surely asked: where addresses are secure pages send hints, workers none."""
    return any(name.lower() == "sec-ch-ua" for name in headers)


def _address(url: str) -> str:
    return url.partition("#")[0]


def _body(request: dict[str, Any]) -> bytes | None:
    """Return what a request carries, as far as the browser shows it: no files."""
    if not request.get("hasPostData"):
        return None
    return b"".join(b64decode(part.get("bytes", "")) for part in request.get("postDataEntries", ()))
