"""The WebSockets of service and shared workers, which belong to no page.

Playwright tells of those that pages and their own workers open. These workers are listened to
through the browser's session. None is held up for that, so what one opens in its first moments
may be missed.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import CDPSession

_KINDS = ({"type": "service_worker"}, {"type": "shared_worker"}, {"exclude": True})
_LISTEN = json.dumps({"id": 1, "method": "Network.enable"})


class WorkerSockets:
    """Tells ``hear`` the address of each socket that such a worker opens."""

    def __init__(self, session: CDPSession, hear: Callable[[str], None]) -> None:
        self._session = session
        self._hear = hear
        self._attaching: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen to every worker from now on."""
        self._session.on("Target.targetCreated", self._created)
        self._session.on("Target.receivedMessageFromTarget", self._said)
        await self._session.send(
            "Target.setDiscoverTargets", {"discover": True, "filter": list(_KINDS)}
        )

    def _created(self, event: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._listen(event["targetInfo"]["targetId"]))
        self._attaching.add(task)
        task.add_done_callback(self._attaching.discard)

    async def _listen(self, target: str) -> None:
        # The worker or the browser may be gone already.
        with suppress(Error):
            # Not flattened: Playwright drops what comes of sessions that it didn't open itself.
            opened = await self._session.send(
                "Target.attachToTarget", {"targetId": target, "flatten": False}
            )
            await self._session.send(
                "Target.sendMessageToTarget",
                {"sessionId": opened["sessionId"], "message": _LISTEN},
            )

    def _said(self, event: dict[str, Any]) -> None:
        # Of a worker that proxies a whole site all requests come by here.
        if "Network.webSocketCreated" in event["message"]:
            message = json.loads(event["message"])
            if message.get("method") == "Network.webSocketCreated":
                self._hear(message["params"]["url"])
