"""Posting to an address of the configuration: tried again for a while, and never sent elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.core.proxies import Proxies

_TIMEOUT: Final = 10.0
_PAUSES: Final = (1.0, 3.0, 9.0, 27.0)
"""Seconds before it is tried again."""
_AGAIN: Final = frozenset({408, 425, 429})
_MOST: Final = 64 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it."""

    tries: int
    error: str = ""
    """Why it was not taken; empty: it was."""
    answer: bytes = b""


class Poster:
    """Posts. A redirect isn't followed: what is sent is signed, or shows a token."""

    def __init__(self, proxies: Proxies, clock: Clock) -> None:
        self._proxies = proxies
        self._clock = clock

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post until it is taken, refused, or has been tried five times, within 90 s."""
        tries = 0
        while True:
            tries += 1
            status, told, answer = await self._once(url, body, headers)
            if 200 <= status < 300:
                return Posted(tries, answer=answer)
            final = 0 < status < 500 and status not in _AGAIN
            if final or tries > len(_PAUSES):
                return Posted(tries, told, answer)
            await self._clock.sleep(_PAUSES[tries - 1])

    async def _once(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes]:
        """Return the status, 0 where there was no answer, why it isn't taken, and the answer."""
        proxy, host = self._proxies.of(url), urlsplit(url).hostname
        # The address itself may be secret: it is never told whole.
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
                    cookie_jar=aiohttp.DummyCookieJar(),
                ) as session,
                session.post(
                    url,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    proxy=proxy.url if proxy else None,
                ) as response,
            ):
                answer = bytearray()
                async for piece in response.content.iter_chunked(1 << 12):
                    answer += piece
                    if len(answer) > _MOST:
                        break
                told = f"{host} answered {response.status}"
                if 300 <= response.status < 400:
                    told += ", a redirect, which is not followed"
                return response.status, told, bytes(answer)
        except TimeoutError:
            return 0, f"{host} did not answer within {_TIMEOUT:.0f} s", b""
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return 0, f"{host} can't be reached: {type(error).__name__}", b""
