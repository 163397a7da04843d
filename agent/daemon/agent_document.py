"""What the API tells of the agent itself, beside the journeys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.server.health import Check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agent.server.documents.overview import AgentDocument, CheckDocument

_WITHIN = 1.0
"""Seconds that a page waits for what the agent says of itself."""


class AgentReport:
    """Asks the agent how it is; ``ready`` makes the checks of ``/readyz``."""

    def __init__(
        self, version: str, environment: str, ready: Callable[[], Awaitable[Mapping[str, Check]]]
    ) -> None:
        self._version = version
        self.environment = environment
        """What is walked there: ``production``, or another."""
        self._ready = ready

    async def document(self) -> AgentDocument:
        """Return it, in words that anybody may hear who may read at all."""
        try:
            async with asyncio.timeout(_WITHIN):
                checks = await self._ready()
        except TimeoutError:
            checks = {"agent": Check(False, f"could not be asked within {_WITHIN:.0f} s")}
        ok = all(check.ok for check in checks.values())
        degraded = any(check.degraded for check in checks.values())
        listed = [_check(name, check) for name, check in checks.items()]
        return {
            "version": self._version,
            "environment": self.environment,
            "status": ("degraded" if degraded else "ok") if ok else "failing",
            "checks": sorted(listed, key=lambda one: (one["ok"], not one["degraded"])),
        }


def _check(name: str, check: Check) -> CheckDocument:
    return {
        "name": name,
        "ok": check.ok,
        "degraded": check.degraded,
        "detail": check.public or check.detail,
    }
