"""Checkout: a form that a script completes with a delivery quote, and the order it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from agent.demo.breakage import SLOW_SECONDS, Mode
from agent.demo.store import COUNTRIES, Recipient
from agent.demo.visit import Visit, form
from agent.verify.middleware import KEY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from agent.core.clock import Clock
    from agent.demo.breakage import Switch
    from agent.demo.render import Render
    from agent.demo.store import Store

_FIELDS = ("name", "email", "address", "city")


class Checkout:
    """``GET`` and ``POST /checkout``, broken as the switch says, and the confirmation."""

    def __init__(self, store: Store, render: Render, switch: Switch, clock: Clock) -> None:
        self._store = store
        self._render = render
        self._switch = switch
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Routes of checkout."""
        return [
            Route("/checkout", self._show),
            Route("/checkout", self._place, methods=["POST"]),
            Route("/checkout/done/{number}", self._done),
        ]

    async def _show(self, request: Request) -> Response:
        visit = Visit(self._store, request)
        if not visit.visitor.count:
            return RedirectResponse("/cart", status_code=303)
        return self._form(visit, {})

    async def _place(self, request: Request) -> Response:
        fields = await form(request)
        visit = Visit(self._store, request)
        if self._switch.mode is Mode.ERROR:
            return self._render.page(
                "message.html",
                status=500,
                visitor=visit.visitor,
                title="Something went wrong at our end",
                text="Your order was not placed and nothing was charged. Please try again later.",
            )
        if self._switch.mode is Mode.SLOW:
            await self._clock.sleep(SLOW_SECONDS)
        if not visit.visitor.count:
            return RedirectResponse("/cart", status_code=303)
        missing = [name for name in _FIELDS if not fields.get(name)]
        if missing:
            return self._form(visit, fields, error=f"Please fill in: {', '.join(missing)}.")
        quote = visit.visitor.quote
        if quote is None or fields.get("quote") != quote.id:
            return self._form(visit, fields, error="Choose where we deliver to, then order again.")
        recipient = Recipient(**{name: fields[name] for name in _FIELDS}, country=quote.country)
        order = self._store.place(visit.visitor, quote, recipient, synthetic=_is_synthetic(request))
        return RedirectResponse(f"/checkout/done/{order.number}", status_code=303)

    async def _done(self, request: Request) -> Response:
        visitor = Visit(self._store, request).visitor
        number = request.path_params["number"]
        order = next((order for order in visitor.orders if order.number == number), None)
        if order is None:
            return RedirectResponse("/", status_code=303)
        return self._render.page("confirmed.html", visitor=visitor, order=order)

    def _form(self, visit: Visit, fields: dict[str, str], *, error: str = "") -> Response:
        return self._render.page(
            "checkout.html",
            status=400 if error else 200,
            visitor=visit.visitor,
            countries=COUNTRIES,
            fields=fields,
            error=error,
            # Without its settings the page's script throws, as after half a release.
            configured=self._switch.mode is not Mode.SCRIPT,
        )


def _is_synthetic(request: Request) -> bool:
    """Believe the verified mark alone: headers and cookies anybody can write."""
    synthetic = request.scope.get(KEY)
    return synthetic is not None and synthetic.verified
