"""The pages that a customer browses: shelves, products, search, cart and account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from agent.demo import products
from agent.demo.store import ACCOUNT
from agent.demo.visit import Visit, form

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from agent.demo.render import Render
    from agent.demo.store import Store

_QUANTITIES = {str(number) for number in range(1, 100)}


class Pages:
    """Everything but checkout, as HTML."""

    def __init__(self, store: Store, render: Render) -> None:
        self._store = store
        self._render = render

    def routes(self) -> list[BaseRoute]:
        """Routes of the shop's pages."""
        return [
            Route("/", self._home),
            Route("/category/{slug}", self._category),
            Route("/product/{slug}", self._product),
            Route("/search", self._search),
            Route("/cart", self._cart),
            Route("/cart/add", self._add, methods=["POST"]),
            Route("/cart/remove", self._remove, methods=["POST"]),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            Route("/orders", self._orders),
            Route("/orders/{number}", self._order),
        ]

    def missing(self, request: Request) -> Response:
        """Answer for an address that leads nowhere."""
        return self._page(
            request,
            "message.html",
            status=404,
            title="Nothing here",
            text="This page has moved or never was. The shelves are still full.",
        )

    async def _home(self, request: Request) -> Response:
        return self._page(request, "home.html", products=products.PRODUCTS)

    async def _category(self, request: Request) -> Response:
        shelf = products.category(request.path_params["slug"])
        if shelf is None:
            return self.missing(request)
        found = products.on_shelf(shelf.slug)
        return self._page(request, "category.html", shelf=shelf, products=found)

    async def _product(self, request: Request) -> Response:
        product = products.product(request.path_params["slug"])
        if product is None:
            return self.missing(request)
        return self._page(
            request,
            "product.html",
            product=product,
            shelf=products.category(product.category),
            availability=self._store.availability(product.slug),
            others=[item for item in products.on_shelf(product.category) if item != product],
        )

    async def _search(self, request: Request) -> Response:
        words = request.query_params.get("q", "").strip()
        return self._page(request, "search.html", words=words, products=products.search(words))

    async def _cart(self, request: Request) -> Response:
        return self._page(request, "cart.html")

    async def _add(self, request: Request) -> Response:
        fields = await form(request)
        product = products.product(fields.get("slug", ""))
        quantity = fields.get("quantity", "1")
        if product is None or quantity not in _QUANTITIES:
            return self._page(
                request,
                "message.html",
                status=400,
                title="That did not fit into the cart",
                text="Choose a product and between 1 and 99 pieces of it.",
            )
        visit = Visit(self._store, request)
        visit.visitor.put(product.slug, int(quantity))
        return visit.keep(RedirectResponse("/cart", status_code=303))

    async def _remove(self, request: Request) -> Response:
        visit = Visit(self._store, request)
        visit.visitor.take_out((await form(request)).get("slug", ""))
        return RedirectResponse("/cart", status_code=303)

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return self._page(request, "sign_in.html", email="", error="")
        fields = await form(request)
        email = fields.get("email", "")
        if not self._store.knows(email, fields.get("password", "")):
            error = "This e-mail address and password do not belong together."
            return self._page(request, "sign_in.html", status=403, email=email, error=error)
        visit = Visit(self._store, request)
        return visit.sign_in(RedirectResponse("/orders", status_code=303), ACCOUNT)

    async def _sign_out(self, request: Request) -> Response:
        return Visit(self._store, request).sign_out(RedirectResponse("/", status_code=303))

    async def _orders(self, request: Request) -> Response:
        visitor = Visit(self._store, request).visitor
        if visitor.account is None:
            return RedirectResponse("/sign-in", status_code=303)
        return self._page(request, "orders.html", orders=self._store.orders_of(visitor))

    async def _order(self, request: Request) -> Response:
        number = request.path_params["number"]
        orders = self._store.orders_of(Visit(self._store, request).visitor)
        order = next((order for order in orders if order.number == number), None)
        if order is None:
            return self.missing(request)
        return self._page(request, "order.html", order=order)

    def _page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        visitor = Visit(self._store, request).visitor
        return self._render.page(template, status=status, visitor=visitor, **values)
