"""OTLP over HTTP with protobuf bodies."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from typing import TYPE_CHECKING, Final

import aiohttp
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from agent.telemetry.delivery.quoting import quoting, seen
from agent.telemetry.delivery.response import read_http
from agent.telemetry.delivery.retry_after import retry_after
from agent.telemetry.delivery.tls import context_of
from agent.telemetry.delivery.transport import Refused, TooLarge, Unavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from agent.telemetry.delivery.destination import Target
    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.transport import Answer

_ANSWER_LIMIT: Final = 64 * 1024
_LATER: Final = frozenset({401, 403, 404, 407, 408, 429})
"""Of who sends and where to, not of the payload: a credential that has run out, a route that a
deployment took away, a collector that is busy."""
_TOO_LARGE: Final = 413
_LARGE: Final = 32 * 1024
"""Bytes from which compression takes longer than the loop should stand still."""


def trust_of(target: Target) -> ssl.SSLContext | bool:
    """Return whom to trust and who to be; it reads the files, and the system's authorities.

    Raises:
        ValueError: a file can't be used.

    """
    return context_of(target) if target.url.startswith("https:") else True


class HttpTransport:
    """Posts to one address over a kept connection."""

    def __init__(self, target: Target, trust: ssl.SSLContext | bool) -> None:
        self._target = target
        self._quote = quoting(target)
        self._headers = {**target.headers, "content-type": "application/x-protobuf"}
        if target.compression == "gzip":
            self._headers["content-encoding"] = "gzip"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=1),
            timeout=aiohttp.ClientTimeout(total=target.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, signal: Signal, payload: bytes) -> Answer:
        """Post one request."""
        body = await self._compressed(payload)
        try:
            async with self._session.post(
                self._target.url,
                data=body,
                headers=self._headers,
                allow_redirects=False,
                proxy=self._target.proxy or None,
            ) as response:
                status, headers = response.status, response.headers
                answer = await _start_of(response)
        except TimeoutError:
            return Unavailable(f"no answer within {self._target.timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Unavailable(self._quote(f"{type(error).__name__}: {error}"))
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if 200 <= status < 300:
            accepted = read_http(signal, kind, answer, self._quote)
            if accepted is not None:
                return accepted
        reason = self._reason(status, kind, headers, answer)
        if status == _TOO_LARGE:
            return TooLarge(reason)
        if 400 <= status < 500 and status not in _LATER:
            return Refused(reason)
        return Unavailable(reason, retry_after(headers))

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()

    async def _compressed(self, payload: bytes) -> bytes:
        if self._target.compression != "gzip":
            return payload
        if len(payload) < _LARGE:
            return gzip.compress(payload)
        return await asyncio.to_thread(gzip.compress, payload)

    def _reason(self, status: int, kind: str, headers: Mapping[str, str], body: bytes) -> str:
        """Say what was answered, with the server's own words where it has any to read."""
        words = ""
        if "protobuf" in kind:
            with contextlib.suppress(DecodeError):
                words = Status.FromString(body).message
        elif kind.startswith("text/") or "json" in kind or "xml" in kind or not kind:
            words = body.decode("utf-8", "replace")
        location = headers.get("Location", "") if 300 <= status < 400 else ""
        return self._quote(seen(status, kind, location, words))


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes of a body: all of it where it is OTLP's."""
    read = bytearray()
    while len(read) < _ANSWER_LIMIT:
        chunk = await response.content.read(_ANSWER_LIMIT - len(read))
        if not chunk:
            break
        read += chunk
    return bytes(read)
