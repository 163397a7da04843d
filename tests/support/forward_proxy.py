"""A forward proxy of a test's own: it knows hosts that nobody else does, and can refuse."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class ForwardProxy:
    """Passes on to ``hosts`` (name to port on loopback); ``refuses`` is the status it answers."""

    hosts: Mapping[str, int] = field(default_factory=dict)
    refuses: int = 0
    credentials: str = ""
    """What ``Proxy-Authorization`` must say; without it the answer is 407."""
    seen: list[str] = field(default_factory=list)
    """The request lines."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, headers = head.partition(b"\r\n")
            self.seen.append(line.decode())
            method, target, version = line.decode().split(" ")
            parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
            port = self.hosts.get(parts.hostname or "")
            if self.credentials and f"Basic {self.credentials}" not in headers.decode():
                await _say(writer, 407, "Proxy-Authenticate: Basic realm=proxy\r\n")
                return
            if self.refuses or port is None:
                await _say(writer, self.refuses or 502)
                return
            await self._join(reader, writer, port, method, parts.path, version, headers)
        writer.close()

    async def _join(self, reader, writer, port, method, path, version, headers) -> None:  # type: ignore[no-untyped-def]
        theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            to_them.write(f"{method} {path or '/'} {version}\r\n".encode() + headers)
        await asyncio.gather(_pass(reader, to_them), _pass(theirs, writer))


async def _say(writer: asyncio.StreamWriter, status: int, header: str = "") -> None:
    text = f"HTTP/1.1 {status} No\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n"
    writer.write(text.encode())
    await writer.drain()
    writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
