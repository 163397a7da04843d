"""Tagging every first-party request of a browser through one browser-level CDP session.

A browser belongs to one attempt, so one session sees all of its traffic: documents,
redirects, popups, cross-origin frames, workers, service workers and unload beacons.
``context.route`` would switch the HTTP cache off and answer CORS preflights itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession

    from agent.model import Tag
    from agent.tagging.identity import Identity
    from agent.tagging.origins import FirstParty


class Tagger:
    """Adds the identity to what leaves for first parties and remembers the tags it gave."""

    def __init__(self, first_party: FirstParty, identity: Identity) -> None:
        self._first_party = first_party
        self._identity = identity
        self._session: CDPSession | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self._given: defaultdict[tuple[str, str], deque[Tag]] = defaultdict(deque)
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
        self._session.on("Fetch.requestPaused", self._paused)
        patterns = [{"urlPattern": origin.cdp_pattern} for origin in self._first_party.origins]
        await self._session.send("Fetch.enable", {"patterns": patterns})

    def take(self, method: str, url: str) -> Tag | None:
        """Return the oldest tag given to such a request that nobody has taken yet."""
        given = self._given.get((method, url))
        return given.popleft() if given else None

    def _paused(self, event: dict[str, Any]) -> None:
        # Answered in a task of its own: a handler that waits would stall the page.
        task = asyncio.get_running_loop().create_task(self._answer(event, time.monotonic()))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, event: dict[str, Any], since: float) -> None:
        request = event["request"]
        self._waiting[event["requestId"]] = since
        answer: dict[str, Any] = {"requestId": event["requestId"]}
        if self._first_party.covers(request["url"]):
            proof = await self._identity.proof(request["url"])
            headers, tag = self._identity.tag(request["headers"], proof)
            answer["headers"] = [{"name": k, "value": v} for k, v in headers.items()]
            self._given[request["method"], _address(request["url"])].append(tag)
        if self._session is None:
            return
        # The page or the browser may go away while the request is paused.
        with suppress(Error):
            await self._session.send("Fetch.continueRequest", answer)
        del self._waiting[event["requestId"]]
        self._longest = max(self._longest, time.monotonic() - since)


def _address(url: str) -> str:
    return url.partition("#")[0]
