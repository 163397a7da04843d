"""``GET /api/v1/events``: what happens, to pages and whoever else listens, as it happens.

Nothing here waits for a listener. What one can't take in time it isn't told; it hears that it
missed something, and looks anew.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agent.server.connection import ENDLESS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

EVENTS: Final = "/api/v1/events"
_MOST: Final = 16
"""Streams at a time; beyond them the oldest is closed."""
_HELD: Final = 256
"""Events that wait for one listener."""
_BEATS: Final = 15.0
"""Seconds after which a stream says that it is there: what stands in between cuts silent ones."""
_RETRY: Final = 5_000
"""Milliseconds after which a browser connects again."""
_FILTERS: Final = ("journey", "run")
_LONGEST: Final = 200


class EventStreams:
    """Those who listen, and what each of them is still to hear."""

    def __init__(self) -> None:
        self._streams: list[_Stream] = []
        """The oldest first."""
        self._ended = False

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell all who listen; what ``data`` has as ``journey`` and ``run_id`` may be asked for."""
        if self._streams:
            text = _event(kind, data)
            for stream in self._streams:
                stream.tell(text, data)

    def end(self) -> None:
        """Close all streams, and have no other begin: the agent is ending."""
        self._ended = True
        for stream in self._streams:
            stream.close("ending")

    def route(self) -> Route:
        """Return the route."""
        return Route(EVENTS, self._listen)

    async def _listen(self, request: Request) -> Response:
        wanted = _wanted(request)
        if self._ended:
            raise HTTPException(503, "the agent is ending: nothing more will be told")
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        request.scope[ENDLESS] = True
        return StreamingResponse(
            self._tell(wanted),
            media_type="text/event-stream",
            # What stands in between is not to collect it first.
            headers={"X-Accel-Buffering": "no"},
        )

    async def _tell(self, wanted: Mapping[str, str]) -> AsyncIterator[str]:
        while len(self._streams) >= _MOST:
            self._streams.pop(0).close("full")
        stream = _Stream(wanted)
        self._streams.append(stream)
        try:
            yield f"retry: {_RETRY}\n\n"
            while text := await stream.next():
                yield text
        finally:
            if stream in self._streams:
                self._streams.remove(stream)


class _Stream:
    """What one listener is still to hear."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._waiting: deque[str] = deque()
        self._more = asyncio.Event()
        self._closed = False

    def tell(self, text: str, data: Mapping[str, Any]) -> None:
        """Have it hear of something, where it asked for that."""
        if self._closed or any(
            data.get(key, value) != value for key, value in self._wanted.items()
        ):
            return
        if len(self._waiting) >= _HELD:
            self._waiting.clear()
            self._waiting.append(_event("missed", {}))
        self._waiting.append(text)
        self._more.set()

    def close(self, why: str) -> None:
        """Have it hear that this is the end, and nothing else any more."""
        self._closed = True
        self._waiting.clear()
        self._waiting.append(_event("closed", {"why": why}))
        self._more.set()

    async def next(self) -> str:
        """Wait for the next; empty: there is none any more."""
        try:
            async with asyncio.timeout(_BEATS):
                await self._more.wait()
        except TimeoutError:
            return ": still here\n\n"
        if not self._waiting:
            return ""
        text = self._waiting.popleft()
        if not self._waiting and not self._closed:
            self._more.clear()
        return text


def _event(kind: str, data: Mapping[str, Any]) -> str:
    # As ASCII, JSON holds no line of its own that would begin another field or event.
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def _wanted(request: Request) -> dict[str, str]:
    given = request.query_params.multi_items()
    if len(dict(given)) < len(given) or not {name for name, _ in given} <= set(_FILTERS):
        raise HTTPException(400, f"once each at most: {', '.join(_FILTERS)}")
    keys = {"journey": "journey", "run": "run_id"}
    return {keys[name]: value[:_LONGEST] for name, value in given}
