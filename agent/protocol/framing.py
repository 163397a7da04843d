"""How a message crosses the pipe: one socket pair a worker, and a length before each message.

A frame is a length (four bytes, big-endian) and that many bytes of JSON.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_HEADER = struct.Struct(">I")
LONGEST_ORDER = 16 * 1024 * 1024
"""Bytes of one message to a worker."""
LONGEST_REPORT = 2 * 1024 * 1024
"""Bytes of one message from a worker, whose parts have bounds of their own."""


class ProtocolError(ValueError):
    """The other end said what can't be taken."""


def frame(body: bytes, longest: int) -> bytes:
    """Put the length in front of a message of ``longest`` bytes at most."""
    if len(body) > longest:
        raise ProtocolError(f"a message of {len(body)} bytes is too long")
    return _HEADER.pack(len(body)) + body


def read_frame(read: Callable[[int], bytes], longest: int) -> bytes | None:
    """Read one frame by a blocking ``read(n)``; None where the other end is gone."""
    header = _exactly(read, _HEADER.size)
    if header is None:
        return None
    return _exactly(read, _length(header, longest))


async def receive_frame(reader: asyncio.StreamReader, longest: int) -> bytes | None:
    """Read one frame from a stream; None where the other end is gone, even half-way."""
    from asyncio import IncompleteReadError

    try:
        header = await reader.readexactly(_HEADER.size)
        return await reader.readexactly(_length(header, longest))
    except (IncompleteReadError, ConnectionError):
        return None


def _length(header: bytes, longest: int) -> int:
    (length,) = _HEADER.unpack(header)
    if length > longest:
        raise ProtocolError(f"a frame of {length} bytes is too long")
    return int(length)


def _exactly(read: Callable[[int], bytes], count: int) -> bytes | None:
    parts = b""
    while len(parts) < count:
        part = read(count - len(parts))
        if not part:
            return None
        parts += part
    return parts
