"""One payload that is too large for its collector, delivered piece by piece.

What is through stays through while the rest waits for a collector that has gone away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from agent.telemetry.delivery.pieces import Piece, halve, shorten
from agent.telemetry.delivery.transport import Accepted, Refused, TooLarge, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.transport import Answer

_ROUNDS: Final = 3
"""How often pieces are tried that were refused last of all, where it may have been the door."""


class Parcel:
    """The pieces of one payload of ``items`` spans, records or points."""

    def __init__(self, signal: Signal, payload: bytes, items: int) -> None:
        self._signal = signal
        self._waiting = deque([Piece(payload, items)])
        self._refused: list[tuple[Piece, str]] = []
        self._taken = 0
        self._lost = 0
        self._reason = ""
        self._rounds = 0

    async def deliver(
        self,
        send: Callable[[bytes], Awaitable[Answer]],
        limit: int,
        learn: Callable[[int], None],
    ) -> Answer:
        """Send what is left of it.

        ``limit`` is a size that is known to be too large; ``learn`` is told of a smaller one.
        Unavailable: call again. Refused: no piece was taken at all.
        """
        while self._waiting:
            piece = self._waiting.popleft()
            if len(piece.payload) >= limit and await self._divide(piece):
                continue
            answer = await send(piece.payload)
            if isinstance(answer, Unavailable):
                self._waiting.appendleft(piece)
                return answer
            if isinstance(answer, Accepted):
                rejected = min(answer.rejected, piece.items)
                self._taken += piece.items
                self._note_lost(rejected, answer.message)
                # Where this one is taken, those before it were at fault themselves.
                self._give_up_refused()
            elif isinstance(answer, TooLarge):
                learn(len(piece.payload))
                if not await self._divide(piece):
                    self._refused.append((piece, answer.reason))
            else:
                self._refused.append((piece, answer.reason))
        return self._end()

    def _end(self) -> Answer:
        if not self._refused:
            return Accepted(self._lost, self._reason)
        reason = self._refused[-1][1]
        if not self._taken:
            return Refused(reason)
        self._rounds += 1
        if self._rounds < _ROUNDS:
            self._waiting.extend(piece for piece, _ in self._refused)
            self._refused.clear()
            return Unavailable(reason)
        self._give_up_refused()
        return Accepted(self._lost, self._reason)

    async def _divide(self, piece: Piece) -> bool:
        """Put the halves of a piece in its place, or what is left of one that has none."""
        # Off the loop: a payload of some megabytes takes a while to take apart.
        smaller = await asyncio.to_thread(_smaller, self._signal, piece)
        self._waiting.extendleft(reversed(smaller))
        return bool(smaller)

    def _give_up_refused(self) -> None:
        for piece, reason in self._refused:
            self._note_lost(piece.items, reason)
        self._refused.clear()

    def _note_lost(self, items: int, reason: str) -> None:
        self._lost += items
        if items:
            self._reason = reason


def _smaller(signal: Signal, piece: Piece) -> list[Piece]:
    try:
        if piece.items > 1:
            halves = halve(signal, piece.payload)
            if len(halves) > 1:
                return halves
        shorter = shorten(signal, piece.payload)
    except DecodeError:
        # Spoiled on disk: no piece of it is any use.
        return []
    return [] if shorter is None else [Piece(shorter, piece.items)]
