from __future__ import annotations

import json

import pytest

from agent.demo import products
from agent.demo.shop import create_shop
from agent.demo.store import ACCOUNT


async def add(visitor, value):
    return await visitor.send("POST", "/api/cart", json.dumps(value).encode(), {})


async def test_products_can_be_narrowed_by_shelf_and_words(visitor):
    """The API lists what the pages show."""

    async def names(query):
        return [item["name"] for item in (await visitor.get(query)).json()["products"]]

    assert len(await names("/api/products")) == len(products.PRODUCTS)
    assert await names("/api/products?category=desk&q=steel") == ["Fountain pen", "Letter tray"]
    assert await names("/api/products?q=zeppelin") == []


async def test_price_and_stock_are_those_of_the_page(visitor):
    """For every product the page says what the API says."""
    for item in products.PRODUCTS:
        product = (await visitor.get(f"/api/products/{item.slug}")).json()
        stock = (await visitor.get(f"/api/stock/{item.slug}")).json()
        page = (await visitor.get(f"/product/{item.slug}")).text
        assert f'data-testid="price">{product["price"]}<' in page
        assert f'data-testid="availability">{stock["availability"]}<' in page
        assert stock["available"] == item.stock


async def test_an_inventory_that_is_away_is_no_empty_shelf(visit, clock):
    """A shop whose stock is counted elsewhere says that it can't tell, not that there is none."""
    shop = create_shop(inventory_url="http://127.0.0.1:9", clock=clock)
    answer = await visit(shop).get("/api/stock/mug")
    assert (answer.status, answer.json()) == (502, {"error": "the inventory does not answer"})
    assert (await visit(shop).get("/api/stock/nix")).status == 404


async def test_the_cart_is_the_same_by_page_and_by_api(visitor):
    """One session, two ways in."""
    await visitor.post("/cart/add", {"slug": "mug"})
    added = await add(visitor, {"slug": "teapot", "quantity": 2})
    assert added.status == 201
    cart = (await visitor.get("/api/cart")).json()
    assert cart == added.json()
    assert cart["count"] == 3
    assert cart["total_cents"] == 1450 + 2 * 4800
    assert 'data-testid="cart-count">3<' in (await visitor.get("/")).text
    emptied = await visitor.send("DELETE", "/api/cart", b"", {})
    assert emptied.json() == {"lines": [], "count": 0, "total_cents": 0}


@pytest.mark.parametrize(
    "value",
    [{}, [], None, {"slug": "nix"}, *({"slug": "mug", "quantity": q} for q in (0, True, "1"))],
)
async def test_nonsense_for_the_cart_is_refused(visitor, value):
    """The answer says what to send."""
    answer = await add(visitor, value)
    assert answer.status == 400
    assert "slug" in answer.json()["error"]
    assert (await visitor.send("POST", "/api/cart", b"{", {})).status == 400


async def test_shipping_wants_a_country_and_a_cart(visitor):
    """No quote for nowhere and none for nothing."""
    assert (await visitor.get("/api/shipping?country=PT")).status == 409
    await visitor.post("/cart/add", {"slug": "mug"})
    assert "DE" in (await visitor.get("/api/shipping?country=XX")).json()["error"]
    offer = (await visitor.get("/api/shipping?country=DE")).json()
    assert (offer["shipping_cents"], offer["total_cents"], offer["days"]) == (490, 1940, 2)


async def test_orders_are_for_the_signed_in(visitor):
    """Without an account 401, with one its orders, newest first."""
    assert (await visitor.get("/api/orders")).status == 401
    await visitor.post("/sign-in", {"email": ACCOUNT, "password": "letmein"})
    orders = (await visitor.get("/api/orders")).json()["orders"]
    assert orders[0]["placed_on"] == "28 October 2026"


@pytest.mark.parametrize("path", ["/api/products/nix", "/api/stock/nix"])
async def test_unknown_products_are_unknown(visitor, path):
    """404, as JSON."""
    answer = await visitor.get(path)
    assert (answer.status, answer.json()) == (404, {"error": "no such product"})
