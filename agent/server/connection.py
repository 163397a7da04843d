"""How long a client may take, and how many there may be, so that none can hold the agent up."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

_MOST = 64
"""Connections at a time."""
_ASK_WITHIN = 10.0
"""Seconds from the connection, or the last answer, to the end of a request's head."""
_TAKE_WITHIN = 20.0
"""Seconds in which a client must take the next piece of its answer."""


_SENT_AHEAD = 1 << 16
"""Bytes of an answer that wait in the kernel for a client to take them."""


class Patient(H11Protocol):
    """One connection. Beyond the most of them, whoever has kept the agent waiting longest goes.

    So a client that asks at once, as those for health do, is answered however many others
    only hold their connections open.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the server's own
        super().__init__(*args, **kwargs)
        self._waiting: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, at another's cost where there are too many."""
        super().connection_made(transport)
        # The kernel's own would take megabytes, and a slow client seem to take none for long.
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_AHEAD)
        self._await_request()
        if len(self.connections) > _MOST:
            others = [one for one in self.connections if isinstance(one, Patient)]
            min(others, key=lambda one: (one.answering, one._since)).cut()  # noqa: SLF001 - of its own kind

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it."""
        self._no_longer_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    @property
    def answering(self) -> bool:
        """Whether a request has come and its answer is under way."""
        return self.cycle is not None and not self.cycle.response_complete

    def cut(self) -> None:
        """End the connection, whatever was still to be sent."""
        self.transport.abort()

    def handle_events(self) -> None:
        """Take what has come. Only a request's whole head ends the wait, no single byte does."""
        super().handle_events()
        if self.answering:
            self._no_longer_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to take the rest of the answer."""
        self._await_request()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Give a client that takes nothing its time."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(_TAKE_WITHIN, self.cut)

    def resume_writing(self) -> None:
        """Note that it took some."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _await_request(self) -> None:
        self._no_longer_waiting()
        self._since = self.loop.time()
        self._waiting = self.loop.call_later(_ASK_WITHIN, self.cut)

    def _no_longer_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
