"""Whether it is the agent's own network that is down, when a site can't be reached.

Its proxy is part of that network: a proxy that is away or refuses the agent is never the
site's fault. One that answers, but can't reach the site, leaves the question open.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from agent.core.origins import bracketed, parse
from agent.core.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.proxies import Proxy

_REFERENCE_TIMEOUT = 2.0
_PROXYS_OWN = frozenset({407, 502, 503, 504})
"""Statuses that a proxy answers by itself, so that nothing has come from beyond it."""


@dataclass(slots=True)
class _Seen:
    answered_at: float = float("-inf")
    failed_at: float = float("-inf")


class Network:
    """Keeps when each site last answered, and asks the reference addresses."""

    def __init__(self, reference: Sequence[str], proxies: Proxies | None = None) -> None:
        self._reference = tuple(reference)
        self._proxies = proxies or Proxies()
        self._sites: dict[str, _Seen] = {}

    def answered(self, site: str, at: float) -> None:
        """Note that a site answered; ``at`` is of a clock that never goes back, in seconds."""
        self._sites.setdefault(site, _Seen()).answered_at = at

    async def is_down(self, site: str, at: float, interval: float, url: str = "") -> bool:
        """Whether a failure to resolve or connect to ``site`` is the agent's own trouble.

        ``at`` and ``interval`` are seconds, ``at`` of the clock that ``answered`` is given;
        ``url`` is the site's address, from which follows the proxy that it is reached through.
        It is, if that proxy is away or refuses the agent. Else, with reference addresses: if
        none of them answers. Without: if two or more sites failed to resolve or connect within
        ``interval`` seconds and none answered.
        """
        self._sites.setdefault(site, _Seen()).failed_at = at
        proxy = self._proxies.of(url)
        if proxy is not None and not await _serves(proxy, url):
            return True
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

    async def _answers(self, session: aiohttp.ClientSession, url: str) -> bool:
        proxy = self._proxies.of(url)
        through = proxy.url if proxy else None
        try:
            async with session.get(url, allow_redirects=False, proxy=through) as response:
                # Any status at all came over the network, unless it came from the proxy.
                return proxy is None or response.status not in _PROXYS_OWN
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False


async def _serves(proxy: Proxy, url: str) -> bool:
    """Whether a proxy lets the agent through to a host: asked for a tunnel that stays unused."""
    address = parse(url)
    authority = f"{bracketed(address.host)}:{address.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.username:
        credentials = f"{proxy.username}:{proxy.password}".encode()
        lines.append(f"Proxy-Authorization: Basic {b64encode(credentials).decode()}")
    way = urlsplit(proxy.server)
    try:
        async with asyncio.timeout(_REFERENCE_TIMEOUT):
            reader, writer = await asyncio.open_connection(
                way.hostname, way.port, ssl=True if way.scheme == "https" else None
            )
            try:
                writer.write("\r\n".join([*lines, "", ""]).encode())
                await writer.drain()
                status = (await reader.readline()).split()[1:2]
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, ValueError):
        return False
    return bool(status) and status != [b"407"]
