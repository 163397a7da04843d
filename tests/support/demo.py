"""The demo shop as its own process, with the second origin that takes its analytics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import aiohttp

from tests.support.service import Service

if TYPE_CHECKING:
    from collections.abc import Sequence


class DemoShop(Service):
    """`python -m agent.demo` on free ports, with the ``inventory`` behind it if there is one."""

    url = ""
    analytics = ""

    def __init__(self, inventory: str = "") -> None:
        self._inventory = inventory

    async def throw(self, mode: str) -> None:
        """Throw the switch that breaks checkout; ``none`` mends it."""
        async with (
            aiohttp.ClientSession(self.url, raise_for_status=True) as session,
            session.post(f"/demo/break/{mode}"),
        ):
            pass

    def command(self) -> Sequence[str]:
        command = [sys.executable, "-m", "agent.demo", "--port", "0", "--analytics-port", "0"]
        return [*command, *(["--inventory", self._inventory] if self._inventory else [])]

    def ready(self) -> bool:
        announced = self.announced()
        if announced:
            self.url, self.analytics = announced["shop"], announced["analytics"]
        return announced is not None
