"""A TCP proxy on loopback whose connections can be cut, refused, or made to stand still."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self


class WireCutter:
    """Passes on to ``port`` what reaches its own ``port``, until it is told not to."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Its address as that of a NATS server."""
        return f"nats://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End every connection, and every further one as soon as it is made."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through, and bytes flow."""
        self._refusing = False
        self._flowing.set()

    def stall(self) -> None:
        """Keep connections and pass on nothing, either way."""
        self._flowing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, onward}
        for source, sink in ((reader, onward), (there, writer)):
            task = asyncio.create_task(self._pass(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
        self._writers.discard(sink)
