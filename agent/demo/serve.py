"""Both origins on loopback, in one process and on one event loop."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.demo.analytics import create_analytics
from agent.demo.shop import PASSWORD, create_shop
from agent.server.serving import listen, port_of, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two origins answer, as URLs without a trailing slash."""

    shop: str
    analytics: str


@contextlib.asynccontextmanager
async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    analytics_port: int = 0,
    inventory: str = "",
    keys: Path | None = None,
) -> AsyncIterator[Addresses]:
    """Serve the shop and its analytics while the block runs; port 0 takes any free one.

    The password of the demo account comes from ``FOOTFALL_DEMO_PASSWORD``. On the default host
    the analytics are named ``localhost``, so that the browser takes them for another party:
    cookies don't know ports. ``inventory`` and ``keys`` are what ``create_shop`` takes.

    Raises:
        DirectoryError: the directory of keys can't be used.
        OSError: an address can't be bound.

    """
    async with contextlib.AsyncExitStack() as stack:
        shop_socket = stack.enter_context(listen(host, port))
        analytics_socket = stack.enter_context(listen(host, analytics_port))
        near = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - only compared
        far = "localhost" if near == "127.0.0.1" else near
        addresses = Addresses(
            f"http://{near}:{port_of(shop_socket)}", f"http://{far}:{port_of(analytics_socket)}"
        )
        shop = create_shop(
            analytics_url=addresses.analytics,
            inventory_url=inventory,
            password=os.environ.get("FOOTFALL_DEMO_PASSWORD", PASSWORD),
            keys=keys,
        )
        await stack.enter_async_context(serving(shop, shop_socket))
        await stack.enter_async_context(serving(create_analytics(), analytics_socket))
        yield addresses
