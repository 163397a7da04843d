"""The signatures of one attempt: at hand for its site, asked for where a wildcard leads elsewhere.

The key stays in the supervisor. What comes from there is headers, good for one authority and
some minutes; a request never waits long for them, and goes unsigned rather than not at all.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.origins import authority_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RENEWED = 30.0
"""Seconds before its end at which another is asked for, while it still serves."""
_LEFT = 5.0
"""Seconds that one must be good for when a request leaves with it."""
_WAIT = 1.0
"""Seconds that a request waits for the first one of an authority."""
_PATIENCE = 10.0
"""Seconds until an authority is asked for again, where no good answer came."""


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """Headers that prove the agent to one authority; none where it gets no signature."""

    headers: Mapping[str, str]
    expires: float
    """Unix seconds."""


class SignatureCache:
    """Holds what was given, and asks for more by ``ask``; answers come in by ``take``.

    ``known`` is what the walk began with; ``clock`` returns Unix seconds. Of one event loop.
    """

    def __init__(
        self,
        known: Mapping[str, RequestSignature],
        ask: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._known = dict(known)
        self._ask = ask
        self._clock = clock
        self._asked: dict[str, float] = {}
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def take(self, authority: str, proof: RequestSignature) -> None:
        """Take an answer."""
        self._known[authority] = proof
        if proof.headers:
            self._asked.pop(authority, None)
        waiting = self._waiting.pop(authority, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def at_hand(self, url: str) -> Mapping[str, str] | None:
        """Return the headers for a request to a URL; None: they have to be waited for."""
        authority = authority_of(url)
        if not authority:
            return {}
        left = self._left(authority)
        if left < _RENEWED:
            self._want(authority)
        if left >= _LEFT:
            return self._known[authority].headers
        return None if authority in self._waiting else {}

    async def of(self, url: str) -> Mapping[str, str]:
        """Return the headers for a request to a URL; none in time, none at all."""
        found = self.at_hand(url)
        if found is not None:
            return found
        authority = authority_of(url)
        # Shielded: one request that gives up must not end the others' wait.
        await asyncio.wait({self._waiting[authority]}, timeout=self._patience(authority))
        return self._known[authority].headers if self._left(authority) >= _LEFT else {}

    def _left(self, authority: str) -> float:
        """Return for how many seconds a signature is good, negative where there is none."""
        proof = self._known.get(authority)
        return proof.expires - self._clock() if proof is not None and proof.headers else -1.0

    def _want(self, authority: str) -> None:
        now = self._clock()
        if 0 <= now - self._asked.get(authority, float("-inf")) < _PATIENCE:
            return
        self._asked[authority] = now
        self._waiting[authority] = asyncio.get_running_loop().create_future()
        self._ask(authority)

    def _patience(self, authority: str) -> float:
        """Return how long to wait: a supervisor that stands still is waited for but once."""
        return max(0.0, self._asked[authority] + _WAIT - self._clock())
