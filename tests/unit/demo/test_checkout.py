from __future__ import annotations

import pytest

GUEST = {
    "name": "A guest",
    "email": "guest@example.com",
    "address": "2 Harbour Road",
    "city": "Lisbon",
    "country": "PT",
}


async def fill(visitor) -> dict[str, str]:
    """Put a mug into the cart and get a quote, as the page's script does."""
    await visitor.post("/cart/add", {"slug": "mug"})
    offer = (await visitor.get("/api/shipping?country=PT")).json()
    return GUEST | {"quote": offer["quote"]}


async def test_a_guest_can_buy(visitor, another):
    """A complete form becomes an order that only its buyer can look at."""
    placed = await visitor.post("/checkout", await fill(visitor))
    done = placed.headers["location"]
    page = await visitor.get(done)
    assert "Order confirmed" in page.text
    assert 'data-testid="order-total">€23.40<' in page.text
    assert 'data-testid="cart-count">0<' in page.text
    assert 'data-event="purchase"' in page.text
    assert (await another.get(done)).headers["location"] == "/"


async def test_an_order_needs_a_current_quote(visitor):
    """Without the script's part, or with that of an older cart, nothing is ordered."""
    fields = await fill(visitor)
    assert (await visitor.post("/checkout", fields | {"quote": ""})).status == 400
    await visitor.post("/cart/add", {"slug": "teapot"})
    stale = await visitor.post("/checkout", fields)
    assert stale.status == 400
    assert "Choose where we deliver to" in stale.text
    assert 'value="A guest"' in stale.text


@pytest.mark.parametrize("name", ["name", "email", "address", "city"])
async def test_an_order_needs_every_field(visitor, name):
    """The server doesn't rely on the browser for what must be filled in."""
    page = await visitor.post("/checkout", await fill(visitor) | {name: "  "})
    assert page.status == 400
    assert f"Please fill in: {name}." in page.text


async def test_an_empty_cart_has_no_checkout(visitor):
    """There is nothing to pay for."""
    assert (await visitor.get("/checkout")).headers["location"] == "/cart"
    assert (await visitor.post("/checkout", GUEST)).headers["location"] == "/cart"


async def test_mode_error_answers_500_and_keeps_the_cart(visitor):
    """A customer who comes back after the mending can still buy."""
    fields = await fill(visitor)
    await visitor.post("/demo/break/error")
    assert (await visitor.get("/checkout")).status == 200
    assert (await visitor.post("/checkout", fields)).status == 500
    await visitor.post("/demo/break/none")
    assert (await visitor.post("/checkout", fields)).status == 303


async def test_mode_slow_answers_after_thirty_seconds(visitor, clock):
    """Only placing the order waits; it succeeds in the end."""
    fields = await fill(visitor)
    await visitor.post("/demo/break/slow")
    await visitor.get("/checkout")
    assert clock.sleeps == []
    assert (await visitor.post("/checkout", fields)).status == 303
    assert clock.sleeps == [30.0]


async def test_mode_script_takes_away_what_the_script_reads(visitor):
    """The page looks whole and its script finds no settings; mended, they are back."""
    await fill(visitor)
    whole = (await visitor.get("/checkout")).text
    await visitor.post("/demo/break/script")
    broken = (await visitor.get("/checkout")).text
    assert "data-settings" in whole
    assert "data-settings" not in broken
    assert "Place order" in broken
    assert "dataset.settings" in (await visitor.get("/static/checkout.js")).text
