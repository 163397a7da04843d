"""The shop's JSON API under ``/api``. Amounts are euro cents; errors are ``{"error": text}``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.demo import products
from agent.demo.store import COUNTRIES, availability
from agent.demo.visit import Visit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from agent.demo.inventory import Inventory
    from agent.demo.products import Product
    from agent.demo.store import Line, Order, Store, Visitor


class Api:
    """Products, stock, cart, shipping and orders, as JSON."""

    def __init__(self, store: Store, inventory: Inventory) -> None:
        self._store = store
        self._inventory = inventory

    def routes(self) -> list[BaseRoute]:
        """Routes of the API."""
        return [
            Route("/api/products", self._products),
            Route("/api/products/{slug}", self._product),
            Route("/api/stock/{slug}", self._stock),
            Route("/api/cart", self._cart),
            Route("/api/cart", self._add, methods=["POST"]),
            Route("/api/cart", self._empty, methods=["DELETE"]),
            Route("/api/shipping", self._shipping),
            Route("/api/orders", self._orders),
        ]

    async def _products(self, request: Request) -> Response:
        words = request.query_params.get("q")
        shelf = request.query_params.get("category")
        found = list(products.PRODUCTS) if words is None else products.search(words)
        chosen = [item for item in found if shelf in (None, item.category)]
        return _answer({"products": [_product(item) for item in chosen]})

    async def _product(self, request: Request) -> Response:
        product = products.product(request.path_params["slug"])
        return _error(404, "no such product") if product is None else _answer(_product(product))

    async def _stock(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        if products.product(slug) is None:
            return _error(404, "no such product")
        try:
            pieces = await self._inventory.pieces(slug, request.headers)
        except aiohttp.ClientError:
            return _error(502, "the inventory does not answer")
        return _answer({"slug": slug, "available": pieces, "availability": availability(pieces)})

    async def _cart(self, request: Request) -> Response:
        return _answer(_cart(Visit(self._store, request).visitor))

    async def _add(self, request: Request) -> Response:
        wanted = await _body(request)
        product = products.product(str(wanted.get("slug")))
        quantity = wanted.get("quantity", 1)
        if product is None or type(quantity) is not int or not 1 <= quantity <= 99:
            return _error(400, 'send {"slug": a product\'s slug, "quantity": 1 to 99}')
        visit = Visit(self._store, request)
        visit.visitor.put(product.slug, quantity)
        return visit.keep(_answer(_cart(visit.visitor), status=201))

    async def _empty(self, request: Request) -> Response:
        visitor = Visit(self._store, request).visitor
        for line in visitor.lines:
            visitor.take_out(line.product.slug)
        return _answer(_cart(visitor))

    async def _shipping(self, request: Request) -> Response:
        country = request.query_params.get("country", "")
        visitor = Visit(self._store, request).visitor
        if country not in COUNTRIES:
            return _error(400, f"country is one of: {', '.join(COUNTRIES)}")
        if not visitor.count:
            return _error(409, "the cart is empty")
        quote = self._store.quote(visitor, country)
        return _answer(
            {
                "quote": quote.id,
                "shipping_cents": quote.cents,
                "total_cents": visitor.cents + quote.cents,
                "days": quote.days,
            }
        )

    async def _orders(self, request: Request) -> Response:
        visitor = Visit(self._store, request).visitor
        if visitor.account is None:
            return _error(401, "sign in first")
        return _answer({"orders": [_order(order) for order in self._store.orders_of(visitor)]})


def _answer(value: dict[str, Any], *, status: int = 200) -> Response:
    return JSONResponse(value, status_code=status, headers={"cache-control": "no-store"})


def _error(status: int, text: str) -> Response:
    return _answer({"error": text}, status=status)


async def _body(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.body())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _product(product: Product) -> dict[str, Any]:
    return {
        "slug": product.slug,
        "name": product.name,
        "category": product.category,
        "price_cents": product.price_cents,
        "price": products.money(product.price_cents),
    }


def _line(line: Line) -> dict[str, Any]:
    return {"slug": line.product.slug, "quantity": line.quantity, "cents": line.cents}


def _cart(visitor: Visitor) -> dict[str, Any]:
    lines = [_line(line) for line in visitor.lines]
    return {"lines": lines, "count": visitor.count, "total_cents": visitor.cents}


def _order(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed_on": order.placed_on,
        "lines": [_line(line) for line in order.lines],
        "total_cents": order.total_cents,
    }
