"""The workers of a browser: that there are any, and the WebSockets of those of no page.

Playwright tells of the sockets that pages and their own workers open. Service and shared workers
are listened to through the browser's session. None is held up for that, so what one opens in its
first moments may be missed.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.worker.browser.browser_session import BrowserSession
    from agent.worker.browser.listening import Listeners

_OF_NO_PAGE = ("service_worker", "shared_worker")
_KINDS = (*({"type": kind} for kind in ("worker", *_OF_NO_PAGE)), {"exclude": True})
_LISTEN = json.dumps({"id": 1, "method": "Network.enable"})


class Workers:
    """Calls ``on_worker`` as each begins, and ``on_socket`` with the address of each socket."""

    def __init__(
        self,
        session: BrowserSession,
        on_socket: Callable[[str], None],
        on_worker: Callable[[], None],
        listeners: Listeners,
    ) -> None:
        self._session = session
        self._on_socket = on_socket
        self._on_worker = on_worker
        self._listeners = listeners
        self._attaching: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Hear of every worker from now on."""
        self._listeners.on(self._session, "Target.targetCreated", self._on_created)
        self._listeners.on(self._session, "Target.receivedMessageFromTarget", self._on_message)
        await self._session.send(
            "Target.setDiscoverTargets", {"discover": True, "filter": list(_KINDS)}
        )

    def _on_created(self, event: dict[str, Any]) -> None:
        self._on_worker()
        target = event["targetInfo"]
        if target["type"] not in _OF_NO_PAGE:
            return
        task = asyncio.get_running_loop().create_task(self._listen(target["targetId"]))
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
