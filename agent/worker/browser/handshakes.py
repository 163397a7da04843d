"""The certificates that first parties show a walk: read once a host, where that costs nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from agent.core.certificate import LAST_END, Certificate
from agent.core.limits import MOST_HOSTS
from agent.core.origins import authority_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.async_api import BrowserContext, Response

    from agent.worker.browser.listening import Listeners

_EVENT = "response"
_TRIES = 3
"""Answers of a host that are asked for its certificate: what a service worker answers has none."""


class Handshakes:
    """Keeps of each host the certificate that ends soonest.

    A page's are asked of Playwright's driver, beside the walk and for the first answers of a
    host alone; those of ``run.api`` come with each answer. ``covers`` says what is first party,
    and ``on_too_many`` is told once where there are more hosts than are looked at.
    """

    def __init__(
        self,
        covers: Callable[[str], bool],
        listeners: Listeners,
        on_too_many: Callable[[], None],
    ) -> None:
        self._covers = covers
        self._listeners = listeners
        self._on_too_many = on_too_many
        self._tries: dict[str, int] = {}
        """By origin; what is no first party's counts as asked for the last time."""
        self._asking: set[asyncio.Task[None]] = set()
        self._found: dict[str, Certificate] = {}
        self._told = False

    def follow(self, context: BrowserContext) -> None:
        """Look at the answers of a context."""
        self._listeners.on(context, _EVENT, self._on_response)

    def see(self, url: str, details: Mapping[str, Any] | None) -> None:
        """Take in what is known of the connection by which an address answered."""
        certificate = _certificate(authority_of(url), details or {})
        if certificate is None or not url.startswith("https:") or not self._covers(url):
            return
        known = self._found.get(certificate.host, certificate)
        if self._has_room(certificate.host):
            ends_first = min(known, certificate, key=lambda one: one.ends_at)
            self._found[certificate.host] = ends_first

    def collected(self) -> tuple[Certificate, ...]:
        """Return what was found; whoever is still asked answers for nothing."""
        for task in self._asking:
            task.cancel()
        return tuple(self._found.values())

    def _on_response(self, response: Response) -> None:
        url = response.url
        if not url.startswith("https:"):
            return
        origin = url[: url.find("/", len("https://"))]
        tries = self._tries.get(origin, 0 if self._covers(url) else _TRIES)
        if tries >= _TRIES or not self._has_room(authority_of(url)):
            return
        self._tries[origin] = tries + 1
        task = asyncio.create_task(self._ask(origin, response), name="certificate")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def _has_room(self, host: str) -> bool:
        if host in self._found or len(self._found) < MOST_HOSTS:
            return True
        if not self._told:
            self._told = True
            self._on_too_many()
        return False

    async def _ask(self, origin: str, response: Response) -> None:
        try:
            details = await response.security_details()
            if details and details.get("validTo"):
                self._tries[origin] = _TRIES
                self.see(response.url, details)
        except Error:
            return  # its page is gone
        except Exception as error:  # noqa: BLE001 - none of them is the journey's
            self._listeners.failed(_EVENT, error)


def _certificate(host: str, details: Mapping[str, Any]) -> Certificate | None:
    """Return it as far as it makes sense: what servers write into theirs may be anything."""
    begins, ends = details.get("validFrom"), details.get("validTo")
    if not isinstance(begins, int | float) or not isinstance(ends, int | float):
        return None
    if not host or not host.isascii() or not 0 < ends <= LAST_END or not begins < ends:
        return None
    return Certificate(host, ends, min(ends - begins, LAST_END))
