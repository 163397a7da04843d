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

    from agent.worker.browser.listening import Listeners

_KINDS = ({"type": "service_worker"}, {"type": "shared_worker"}, {"exclude": True})
_LISTEN = json.dumps({"id": 1, "method": "Network.enable"})


class WorkerSockets:
    """Calls ``on_socket`` with the address of each socket that such a worker opens."""

    def __init__(
        self, session: CDPSession, on_socket: Callable[[str], None], listeners: Listeners
    ) -> None:
        self._session = session
        self._on_socket = on_socket
        self._listeners = listeners
        self._attaching: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen to every worker from now on."""
        self._listeners.on(self._session, "Target.targetCreated", self._on_created)
        self._listeners.on(self._session, "Target.receivedMessageFromTarget", self._on_message)
        await self._session.send(
            "Target.setDiscoverTargets", {"discover": True, "filter": list(_KINDS)}
        )

    def _on_created(self, event: dict[str, Any]) -> None:
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

    def _on_message(self, event: dict[str, Any]) -> None:
        # Of a worker that proxies a whole site all requests come by here.
        if "Network.webSocketCreated" in event["message"]:
            message = json.loads(event["message"])
            if message.get("method") == "Network.webSocketCreated":
                self._on_socket(message["params"]["url"])
