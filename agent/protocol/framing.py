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
LONGEST_FRAME = 16 * 1024 * 1024
"""Bytes of one message."""


class BadFrame(ValueError):
    """A frame that is too long, cut short, or no message."""


def frame(body: bytes) -> bytes:
    """Put the length in front of a message."""
    if len(body) > LONGEST_FRAME:
        raise BadFrame(f"a message of {len(body)} bytes is too long")
    return _HEADER.pack(len(body)) + body


def read_frame(read: Callable[[int], bytes]) -> bytes | None:
    """Read one frame by a blocking ``read(n)``; None where the other end is gone."""
    header = _exactly(read, _HEADER.size)
    if header is None:
        return None
    return _exactly(read, _length(header))


async def receive_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Read one frame from a stream; None where the other end is gone, even half-way."""
    from asyncio import IncompleteReadError

    try:
        header = await reader.readexactly(_HEADER.size)
        return await reader.readexactly(_length(header))
    except (IncompleteReadError, ConnectionError):
        return None


def _length(header: bytes) -> int:
    (length,) = _HEADER.unpack(header)
    if length > LONGEST_FRAME:
        raise BadFrame(f"a frame of {length} bytes is too long")
    return int(length)


def _exactly(read: Callable[[int], bytes], count: int) -> bytes | None:
    parts = b""
    while len(parts) < count:
        part = read(count - len(parts))
        if not part:
            return None
        parts += part
    return parts
