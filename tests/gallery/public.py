"""The public page in each of its states, served as the agent serves it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agent.server.documents.shares import UptimeDocument
from agent.server.public.public_app import create_public_app
from agent.server.serving import listen, port_of, serving
from tests.support.overviews import (
    Told,
    a_journey,
    a_window,
    an_incident,
    an_outage,
    an_overview,
    at,
    held,
    incidents,
    made,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Stage:
    """Answers as a history would, and always anew: its clock leaps with each look."""

    told: Told
    seconds = 0.0

    async def journeys(self, days: int) -> Any:
        """Return the overview."""
        return await self.told.journeys(days)

    async def incidents(self, limit: int, before: int | None = None) -> Any:
        """Return all incidents."""
        self.told.before.clear()
        return await self.told.incidents(limit, before)

    def monotonic(self) -> float:
        """Return more than the page holds an answer for, each time."""
        self.seconds += 60
        return self.seconds

    def play(self, scene: str) -> None:
        """Show a scene from now on."""
        overview, found = SCENES[scene]
        self.told = Told(overview, incidents(*found))


@asynccontextmanager
async def staged_public() -> AsyncIterator[tuple[Stage, str]]:
    """Serve the page; gives what is played, and the address."""
    stage, socket = Stage(), listen("127.0.0.1", 0)
    async with serving(create_public_app(stage, stage), socket):
        yield stage, f"http://127.0.0.1:{port_of(socket)}"


def _days(*last: str, flaky: tuple[int, ...] = (), unknown: int = 0) -> dict[str, list[str]]:
    """Ninety days, of which the first are unknown and the last are given."""
    days = ["unknown"] * unknown + ["pass"] * (90 - unknown - len(last)) + list(last)
    return {"hours": [], "days": ["flaky" if n in flaky else day for n, day in enumerate(days)]}


def _up(uptime: float | None, measured: float | None) -> list[Any]:
    return [made(UptimeDocument, days=90, uptime=uptime, measured=measured)]


_UNKNOWN = {"hours": [], "days": ["unknown"] * 90}
_BUY = a_journey(
    "buy",
    "Buy as a guest",
    up=False,
    bars=_days("suspended", "pass", "fail", "fail", flaky=(33, 71)),
    uptime=_up(99.712, 99.1),
)
_FIND = a_journey("find", "Find a product", bars=_days(flaky=(12,)), uptime=_up(99.999, 98.8))
_ORDERS = a_journey(
    "orders", "See my orders", bars=_days("not_measured", "fail", "pass"), uptime=_up(99.2, 71.5)
)
_RETURNS = a_journey(
    "returns",
    "Return what I bought, with a label that I print at home",
    suspended=held("maintenance"),
    bars=_days("suspended", unknown=40),
    uptime=_up(100.0, 96.0),
)
_LETTERS = a_journey(
    "letters",
    "Newsletter",
    suspended=held("pause"),
    bars=_days("suspended"),
    uptime=_up(100.0, 99.0),
)
_GIFTS = a_journey("gifts", "Gift cards", consecutive_slow=3, bars=_days(), uptime=_up(100.0, 99.9))
_STOCK = a_journey("stock", "Stock", up=None, bars=_UNKNOWN, uptime=_up(None, None))

_INCIDENTS = (
    an_incident(3, an_outage("buy", at(minutes=42))),
    an_incident(
        2,
        an_outage("buy", at(days=1, hours=3), at(days=1, hours=1)),
        an_outage("orders", at(days=1, hours=3), at(days=1, hours=2, minutes=13)),
    ),
    an_incident(1, an_outage("orders", at(days=40), at(days=39))),
)
_WINDOWS = (
    a_window("returns", since=at(minutes=30), until=at(hours=-1), holds=True),
    a_window("buy", "find", "orders", since=at(days=-3), until=at(days=-3, hours=-1)),
)

SCENES = {
    "mixed": (
        an_overview(
            *(_BUY, _FIND, _ORDERS, _RETURNS, _LETTERS, _GIFTS, _STOCK), maintenance=_WINDOWS
        ),
        _INCIDENTS,
    ),
    "well": (an_overview(_FIND, _ORDERS), _INCIDENTS[2:]),
    "slow": (an_overview(_FIND, _GIFTS), ()),
    "maintenance": (an_overview(_FIND, _RETURNS, maintenance=_WINDOWS[:1]), ()),
    "paused": (an_overview(_FIND, _LETTERS), ()),
    "first-minute": (an_overview(_STOCK), ()),
    "empty": (an_overview(), ()),
    "two-hundred": (
        an_overview(*(a_journey(f"n{n}", f"Journey {n}", bars=_days()) for n in range(200))),
        (),
    ),
}
"""Each state: how the journeys stand, and the incidents."""
