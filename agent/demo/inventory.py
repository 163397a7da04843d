"""What is on the shelf: the shop's own count, or that of a service behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.demo.store import Store

_CONTEXT = ("traceparent", "tracestate", "baggage")
"""What a service hands on unchanged, so that the next one knows whose visit this is."""


class Inventory:
    """Answers from the store, or where there is an address asks ``GET <url>/stock/<slug>``."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url

    async def pieces(self, slug: str, headers: Mapping[str, str]) -> int:
        """Return how many pieces there are; ``headers`` are those of the visitor's request.

        Raises:
            aiohttp.ClientError: the service does not answer, or not with a count.

        """
        if not self._url:
            return self._store.stock(slug)
        context = {name: headers[name] for name in _CONTEXT if name in headers}
        async with (
            aiohttp.ClientSession(self._url, raise_for_status=True) as session,
            session.get(f"/stock/{slug}", headers=context) as answer,
        ):
            return int((await answer.json())["available"])
