"""Serving a Starlette application on the loop that is already running."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette

_DRAIN_SECONDS: Final = 1
"""A request that hangs must not hold up the end."""
_QUEUE: Final = 1024
"""Connections that wait in the kernel to be accepted; beyond them a client tries again later."""
_AT_ONCE: Final = 128
"""Connections that are accepted in one turn of the loop, before any of them is looked at."""


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen at once: who connects before the server is up waits, and is served.

    Raises:
        OSError: the address can't be bound.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=_QUEUE)
    # asyncio sees to this only on sockets it made itself; without it, head and body of an
    # answer travel 40 ms apart. Accepted connections inherit it.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def port_of(listening: socket.socket) -> int:
    """Return the port a socket listens on."""
    return int(listening.getsockname()[1])


@contextlib.asynccontextmanager
async def serving(
    app: Starlette, listening: socket.socket, protocol: type[asyncio.Protocol] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve ``app`` while the block runs; gives the server's task, and closes the socket.

    ``protocol`` handles each connection in place of uvicorn's own.
    """
    server = _Server(app, protocol)
    with listening:
        task = asyncio.create_task(
            server.serve(sockets=[listening]), name=f"http {listening.getsockname()}"
        )
        try:
            yield task
        finally:
            server.should_exit = True
            await asyncio.gather(task, return_exceptions=True)
            for connection in server.server_state.connections:
                # Of clients that would not take the rest of their answers.
                connection.transport.abort()


class _Server(uvicorn.Server):
    def __init__(self, app: Starlette, protocol: type[asyncio.Protocol] | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol or "auto",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                backlog=_AT_ONCE,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and keep the longer queue: asyncio has one number for both."""
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(_QUEUE)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server."""
        yield
