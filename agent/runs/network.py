"""Whether it is the agent's own network that is down, when a site can't be reached."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Sequence

_REFERENCE_TIMEOUT = 2.0


@dataclass(slots=True)
class _Seen:
    answered_at: float = float("-inf")
    failed_at: float = float("-inf")


class Network:
    """Keeps when each site last answered, and asks the reference addresses."""

    def __init__(self, reference: Sequence[str]) -> None:
        self._reference = tuple(reference)
        self._sites: dict[str, _Seen] = {}

    def answered(self, site: str, at: float) -> None:
        """Note that a site answered; ``at`` is of a clock that never goes back, in seconds."""
        self._sites.setdefault(site, _Seen()).answered_at = at

    async def is_down(self, site: str, at: float, interval: float) -> bool:
        """Whether a failure to resolve or connect to ``site`` is the agent's own trouble.

        ``at`` and ``interval`` are seconds, ``at`` of the clock that ``answered`` is given.
        With reference addresses: if none of them answers. Without: if two or more sites
        failed to resolve or connect within ``interval`` seconds and none answered.
        """
        self._sites.setdefault(site, _Seen()).failed_at = at
        if self._reference:
            return not await self._any_answers()
        since = at - interval
        failing = [seen for seen in self._sites.values() if seen.failed_at >= since]
        return len(failing) >= 2 and all(seen.answered_at < since for seen in self._sites.values())

    async def _any_answers(self) -> bool:
        timeout = aiohttp.ClientTimeout(total=_REFERENCE_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            answers = await asyncio.gather(
                *(self._answers(session, url) for url in self._reference)
            )
        return any(answers)

    @staticmethod
    async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
        try:
            async with session.get(url, allow_redirects=False):
                # Any status at all came over the network.
                return True
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
