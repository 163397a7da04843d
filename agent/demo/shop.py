"""The shop put together."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.core.clock import Clock, SystemClock
from agent.demo.api import Api
from agent.demo.bench import Bench
from agent.demo.breakage import Control, Switch
from agent.demo.checkout import Checkout
from agent.demo.inventory import Inventory
from agent.demo.pages import Pages
from agent.demo.render import Render, static
from agent.demo.rollout import Rollout, VersionMiddleware
from agent.demo.seen import SeenLog, SeenMiddleware
from agent.demo.store import ACCOUNT, Store
from agent.verify import SyntheticMiddleware, Verifier

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

PASSWORD = "demo-password"  # noqa: S105 - the published password of the demo account
"""What opens the demo account unless another password is given."""


def create_shop(
    *,
    analytics_url: str = "",
    inventory_url: str = "",
    password: str = PASSWORD,
    clock: Clock | None = None,
    keys: Path | None = None,
) -> Starlette:
    """Build a shop of its own: nothing is shared with another one.

    ``analytics_url`` is the origin that the pages send their beacons to; with an empty one they
    send none. ``inventory_url`` is a service that knows the stock; with an empty one the shop
    does. ``clock`` dates the orders and holds back a slowed checkout. ``keys`` is the
    directory of the keys whose requests are known to be synthetic; without one, none are.

    Raises:
        DirectoryError: the directory of keys can't be used.

    """
    clock = clock or SystemClock()
    store = Store(password=password, clock=clock)
    rollout = Rollout()
    switch = Switch(rollout)
    log = SeenLog()
    render = Render(analytics_url=analytics_url, account=ACCOUNT)
    pages = Pages(store, render)

    async def books(_: Request) -> Response:
        return JSONResponse(asdict(store.books))

    async def missing(request: Request, _error: Exception) -> Response:
        return pages.missing(request)

    return Starlette(
        routes=[
            *pages.routes(),
            *Checkout(store, render, switch, clock).routes(),
            *Api(store, Inventory(store, inventory_url)).routes(),
            *Bench(render).routes(),
            *Control(switch, render).routes(),
            *rollout.routes(),
            *log.routes(),
            Route("/demo/books", books),
            *static(),
        ],
        middleware=[
            Middleware(VersionMiddleware, rollout=rollout),
            Middleware(SeenMiddleware, log=log),
            Middleware(SyntheticMiddleware, verifier=Verifier(keys or {"keys": []})),
        ],
        exception_handlers={404: missing},
    )
