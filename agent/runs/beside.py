"""Journeys that are walked beside their slots."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Beside:
    """Who is walked so now, so that no journey overlaps itself. Of one event loop."""

    def __init__(self) -> None:
        self._over: dict[str, asyncio.Event] = {}

    @contextmanager
    def walking(self, journey: str) -> Iterator[None]:
        """Have a journey count as walked meanwhile; it is not walked so already."""
        over = self._over[journey] = asyncio.Event()
        try:
            yield
        finally:
            del self._over[journey]
            over.set()

    def is_walking(self, journey: str) -> bool:
        """Whether a journey is walked beside its slots now."""
        return journey in self._over

    async def until_over(self, journey: str) -> None:
        """Wait until a journey is not; its own slot waits here, and is no overrun."""
        while over := self._over.get(journey):
            await over.wait()

    async def until_none(self) -> None:
        """Wait until no journey is."""
        while self._over:
            await next(iter(self._over.values())).wait()
