"""How long a client may take, and how many there may be, so that none can hold the agent up."""

from __future__ import annotations

import resource
import socket
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

ENDLESS: Final = "footfall.endless"
"""In the scope of a request whose answer goes on until its client leaves."""
_MOST: Final = 128
"""Connections at a time, beyond which those go that keep the agent waiting."""
_MOST_OF_ALL: Final = max(_MOST, min(1024, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4))
"""How many there may be while nobody keeps the agent waiting. With the public page's, which are
as many, half of its files is the agent's own."""
_SPARED: Final = 2.0
"""Seconds in which nobody is taken to keep the agent waiting: a newcomer has just come."""
_LOOKS_EVERY: Final = 0.05
"""Seconds between two looks for who keeps the agent waiting."""
_SHARE_CUT: Final = 32
"""One in so many goes where all is full and nobody has waited."""
_ASK_WITHIN: Final = 10.0
"""Seconds from the connection, or the last answer, to the end of a request, its body too."""
_TAKE_WITHIN: Final = 20.0
"""Seconds in which a client must take the next piece of its answer."""
_LINGER: Final = 1.0
"""Seconds for an answer to arrive at a client that is still sending what nobody wants."""
_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
"""Seconds before a request is looked at that came before the last one was answered: at first, and
at the most, after doubling with each in a row."""
_CLOSED: Final = 7
"""The state of a connection that is gone, as Linux numbers them."""
_PIECE: Final = 1 << 12
"""Bytes that are read of one client in a turn of the loop."""
_SENT_AHEAD: Final = 1 << 16
"""Bytes of an answer that wait in the kernel for a client to take them."""


class LimitedConnection(H11Protocol):
    """One connection. Beyond the most of them, whoever has kept the agent waiting longest goes.

    A client keeps it waiting that has not asked yet, and one that doesn't take its answer. So one
    that asks at once, as those for health do, is answered however many others hold connections.
    """

    _looked_at: ClassVar = float("-inf")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the server's own
        super().__init__(*args, **kwargs)
        self._asks: asyncio.TimerHandle | None = None
        self._takes: asyncio.TimerHandle | None = None
        self._pauses: asyncio.TimerHandle | None = None
        self._pause = 0.0
        self._ended = False
        self.made_at = 0.0
        self._asks_since = 0.0
        self._takes_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, at another's cost where there are too many."""
        super().connection_made(transport)
        # The kernel's own would take megabytes, and a slow client seem to take none for long.
        raw = transport.get_extra_info("socket")
        if raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSED:
            # Reset while it waited to be accepted: it is not worth being read.
            self.cut()
            return
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_AHEAD)
        # At asyncio's own 256 KiB, a body of tiny chunks takes the loop for most of a second.
        transport.max_size = _PIECE  # type: ignore[attr-defined]
        self.made_at = self.loop.time()
        self._await_request(_ASK_WITHIN)
        if len(self.connections) > _MOST:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it."""
        for timer in (self._asks, self._pauses):
            if timer is not None:
                timer.cancel()
        self.resume_writing()
        super().connection_lost(exc)

    @property
    def waits_since(self) -> float | None:
        """Since when, by the loop's clock, the agent waits for this client; None: it doesn't."""
        if self._takes is not None:
            return self._takes_since
        return self._asks_since if self._asks is not None else None

    def cut(self) -> None:
        """End the connection, whatever was still to be sent."""
        self.transport.abort()

    def handle_events(self) -> None:
        """Take what has come. Only a whole request ends the wait, no single byte does."""
        if self._pauses is not None or self._ended:
            self.flow.pause_reading()
            return
        super().handle_events()
        cycle = self.cycle
        asked = cycle is not None and not cycle.response_complete and not cycle.more_body
        if asked and self._asks is not None:
            self._asks.cancel()
            self._asks = None

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to take the rest of the answer."""
        self._ended = unwanted = self.cycle.more_body
        self._await_request(_LINGER if unwanted else _ASK_WITHIN)
        if self.conn.trailing_data[0]:
            self._pause = min(2 * self._pause, _LONGEST_PAUSE) if self._pause else _PAUSE
            self._pauses = self.loop.call_later(self._pause, self._go_on)
        else:
            self._pause = 0.0
        super().on_response_complete()
        if unwanted and not self.transport.is_closing():
            self.flow.pause_reading()
            self.transport.write_eof()

    def _go_on(self) -> None:
        self._pauses = None
        self.flow.resume_reading()
        self.handle_events()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. Of a request whose body breaks off so, it is the answer."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.cut()
                return
        super().send_400_response(msg)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer whoever has said only that nothing more will be asked; else close.

        Of an answer without end there is nobody who waits for the rest of it.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_complete or ENDLESS in cycle.scope:
            return False
        cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """Give a client that takes nothing its time."""
        super().pause_writing()
        if self._takes is None:
            self._takes_since = self.loop.time()
            self._takes = self.loop.call_later(_TAKE_WITHIN, self.cut)

    def resume_writing(self) -> None:
        """Note that it took some."""
        super().resume_writing()
        if self._takes is not None:
            self._takes.cancel()
            self._takes = None

    def _await_request(self, seconds: float) -> None:
        if self._asks is not None:
            self._asks.cancel()
        self._asks_since = self.loop.time()
        self._asks = self.loop.call_later(seconds, self.cut)

    def _make_room(self) -> None:
        """Cut others off: who has waited longest, or, where nobody has and all is full, the oldest.

        Several at a time, since looking at each of them for each that comes would take longer than
        answering it.
        """
        now = self.loop.time()
        full = len(self.connections) >= _MOST_OF_ALL
        if not full and now - LimitedConnection._looked_at < _LOOKS_EVERY:
            return
        LimitedConnection._looked_at = now
        others = [
            one
            for one in self.connections
            if isinstance(one, LimitedConnection)
            and one is not self
            and not one.transport.is_closing()
        ]
        waiting = [(since, one) for one in others if (since := one.waits_since) is not None]
        late = sorted(((s, one) for s, one in waiting if s <= now - _SPARED), key=_first)
        gone = [one for _, one in late[: len(others) + 1 - _MOST]]
        if full and not gone:
            oldest = sorted([one for _, one in waiting] or others, key=lambda one: one.made_at)
            gone = oldest[: 1 + len(others) // _SHARE_CUT]
        for one in gone:
            one.cut()


def _first(pair: tuple[float, LimitedConnection]) -> float:
    return pair[0]
