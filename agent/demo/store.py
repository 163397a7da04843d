"""The shop's memory: visitors, their carts, stock and orders. Bounded: it may run for weeks."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.demo import products

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.demo.products import Product

ACCOUNT = "demo@example.com"
"""The one account of the shop."""

COUNTRIES = {"DE": "Germany", "FR": "France", "NL": "Netherlands", "PT": "Portugal"}

_SHIPPING = {"DE": (490, 2), "NL": (590, 2), "FR": (690, 3), "PT": (890, 5)}
_FREE_FROM = 10_000
_VISITORS = 2_000
_ORDERS_KEPT = 20
_FEW = 5
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of one product."""

    product: Product
    quantity: int

    @property
    def cents(self) -> int:
        """What the line costs."""
        return self.product.price_cents * self.quantity


@dataclass(frozen=True, slots=True)
class Quote:
    """The shop's offer to deliver a cart; an order is accepted only with a current one."""

    id: str
    country: str
    cents: int
    days: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets an order, and where."""

    name: str
    email: str
    address: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was placed. ``placed_at`` is Unix seconds."""

    number: str
    placed_at: float
    lines: tuple[Line, ...]
    shipping_cents: int
    recipient: Recipient

    @property
    def total_cents(self) -> int:
        """Goods and shipping."""
        return sum(line.cents for line in self.lines) + self.shipping_cents

    @property
    def placed_on(self) -> str:
        """The day it was placed, in UTC, as ``3 November 2026``."""
        day = datetime.fromtimestamp(self.placed_at, UTC)
        return f"{day.day} {day:%B %Y}"


@dataclass(slots=True)
class Books:
    """What the business made, since the shop opened: of people, and of nobody else."""

    revenue_cents: int = 0
    orders: int = 0
    synthetic_orders: int = 0


@dataclass(slots=True)
class Visitor:
    """One visitor: a cart, perhaps an account, and what was ordered here."""

    cart: dict[str, int] = field(default_factory=dict)
    account: str | None = None
    quote: Quote | None = None
    orders: deque[Order] = field(default_factory=lambda: deque(maxlen=_ORDERS_KEPT))

    @property
    def lines(self) -> list[Line]:
        """The cart's lines, in the order they were added."""
        found = ((products.product(slug), count) for slug, count in self.cart.items())
        return [Line(item, count) for item, count in found if item is not None]

    @property
    def count(self) -> int:
        """Pieces in the cart."""
        return sum(self.cart.values())

    @property
    def cents(self) -> int:
        """What the cart costs without shipping."""
        return sum(line.cents for line in self.lines)

    def put(self, slug: str, quantity: int) -> None:
        """Add pieces; a quote given for the cart as it was is void."""
        self.cart[slug] = min(self.cart.get(slug, 0) + quantity, 99)
        self.quote = None

    def take_out(self, slug: str) -> None:
        """Remove a product from the cart, if it is there."""
        self.cart.pop(slug, None)
        self.quote = None


class Store:
    """Everything the shop remembers. ``password`` opens the demo account."""

    def __init__(self, *, password: str, clock: Clock) -> None:
        self._password = password
        self._clock = clock
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()
        self._stock = {item.slug: item.stock for item in products.PRODUCTS}
        self._last_number = 20_480
        self.books = Books()
        self._history: deque[Order] = deque(maxlen=_ORDERS_KEPT)
        home = Recipient("Demo customer", ACCOUNT, "1 Harbour Road", "Hamburg", "DE")
        for days_ago, slugs in (
            (61, ("teapot",)),
            (24, ("notebook", "fountain-pen")),
            (6, ("mug",)),
        ):
            lines = tuple(Line(item, 1) for item in products.PRODUCTS if item.slug in slugs)
            placed_at = clock.wall() - days_ago * _DAY
            self._history.appendleft(Order(self._number(), placed_at, lines, 490, home))

    def visitor(self, key: str | None) -> Visitor | None:
        """Return the visitor of a cookie, or None where it is unknown or forgotten."""
        if key is None or key not in self._visitors:
            return None
        self._visitors.move_to_end(key)
        return self._visitors[key]

    def remember(self, visitor: Visitor) -> str:
        """Keep a visitor under a new key and return the key. The oldest beyond 2,000 goes."""
        key = secrets.token_urlsafe(18)
        self._visitors[key] = visitor
        if len(self._visitors) > _VISITORS:
            self._visitors.popitem(last=False)
        return key

    def forget(self, key: str | None) -> None:
        """Drop the visitor of a cookie, if there is one."""
        if key is not None:
            self._visitors.pop(key, None)

    def knows(self, email: str, password: str) -> bool:
        """Say whether these open the demo account."""
        right = hmac.compare_digest(password.encode(), self._password.encode())
        return right and email.strip().casefold() == ACCOUNT

    def orders_of(self, visitor: Visitor) -> list[Order]:
        """List the orders of a visitor's account, newest first."""
        return list(self._history) if visitor.account else []

    def stock(self, slug: str) -> int:
        """Pieces on the shelf."""
        return self._stock[slug]

    def availability(self, slug: str) -> str:
        """Stock as customers read it."""
        return availability(self._stock[slug])

    def quote(self, visitor: Visitor, country: str) -> Quote:
        """Offer delivery of the visitor's cart to a country of ``COUNTRIES``."""
        cents, days = _SHIPPING[country]
        if visitor.cents >= _FREE_FROM:
            cents = 0
        visitor.quote = Quote(secrets.token_hex(8), country, cents, days)
        return visitor.quote

    def place(
        self, visitor: Visitor, quote: Quote, recipient: Recipient, *, synthetic: bool = False
    ) -> Order:
        """Turn the visitor's cart into an order and empty it. A shelf that runs low is refilled.

        A ``synthetic`` order is an order like any other, but for the books.
        """
        lines = tuple(visitor.lines)
        order = Order(self._number(), self._clock.wall(), lines, quote.cents, recipient)
        for line in lines:
            left = self._stock[line.product.slug] - line.quantity
            self._stock[line.product.slug] = left if left > 0 else line.product.stock
        visitor.cart.clear()
        visitor.quote = None
        visitor.orders.appendleft(order)
        if synthetic:
            self.books.synthetic_orders += 1
        else:
            self.books.orders += 1
            self.books.revenue_cents += order.total_cents
        if visitor.account:
            self._history.appendleft(order)
        return order

    def _number(self) -> str:
        self._last_number += 1
        return f"HC-{self._last_number}"


def availability(left: int) -> str:
    """Return so many pieces as customers read them: ``In stock`` or ``Only 4 left``."""
    return "In stock" if left >= _FEW else f"Only {left} left"
