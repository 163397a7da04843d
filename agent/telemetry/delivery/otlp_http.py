"""OTLP over HTTP with protobuf bodies."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import aiohttp
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from agent.telemetry.delivery.transport import Refused, Unavailable, quoting, read_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.telemetry.delivery.export import Target
    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.transport import Answer

_ANSWER_LIMIT: Final = 64 * 1024
_BUSY: Final = frozenset({408, 429})
# Said of who sends and where to, not of the payload: a credential that has run out, a route
# that a deployment took away. The next payload would fare no better, and this one may yet.
_DOOR: Final = frozenset({401, 403, 404, 407})
# A server that doesn't know the method or the version won't learn it by being asked again.
_NEVER: Final = frozenset({501, 505})
_LARGE: Final = 32 * 1024
"""Bytes from which compression takes longer than the loop should stand still."""


class HttpTransport:
    """Posts to one address over a kept connection."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._quote = quoting(target)
        self._headers = {**target.headers, "content-type": "application/x-protobuf"}
        if target.compression == "gzip":
            self._headers["content-encoding"] = "gzip"
        # Reading the system's authorities takes a while: not for nothing.
        secure = target.url.startswith("https:")
        trust = ssl.create_default_context(cafile=target.certificate or None) if secure else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=1),
            timeout=aiohttp.ClientTimeout(total=target.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, signal: Signal, payload: bytes) -> Answer:
        """Post one request.

        Servers that answer 5xx are taken as down, not only those the protocol lists: a
        proxy in front of a dead collector says 500 as often as 503.
        """
        body = await self._compressed(payload)
        try:
            async with self._session.post(
                self._target.url, data=body, headers=self._headers, allow_redirects=False
            ) as response:
                answer = await response.content.read(_ANSWER_LIMIT)
                status, headers = response.status, response.headers
        except TimeoutError:
            return Unavailable(f"no answer within {self._target.timeout:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Unavailable(self._quote(f"{type(error).__name__}: {error}"))
        if 200 <= status < 300:
            return read_answer(signal, answer, self._quote)
        reason = self._reason(status, headers, answer)
        if status in _BUSY | _DOOR or (status >= 500 and status not in _NEVER):
            return Unavailable(reason, _retry_after(headers))
        return Refused(reason)

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()

    async def _compressed(self, payload: bytes) -> bytes:
        if self._target.compression != "gzip":
            return payload
        if len(payload) < _LARGE:
            return gzip.compress(payload)
        return await asyncio.to_thread(gzip.compress, payload)

    def _reason(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        """Say what was answered, with the server's own words where it has any to read."""
        kind = headers.get("Content-Type", "")
        said = ""
        if "protobuf" in kind:
            with contextlib.suppress(DecodeError):
                said = Status.FromString(body).message
        elif kind.startswith(("text/plain", "application/json")):
            said = body.decode("utf-8", "replace")
        said = self._quote(said)
        return f"HTTP {status}: {said}" if said else f"HTTP {status}"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``: seconds, or a moment, taken against the server's own ``Date``."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, (moment - now).total_seconds())
